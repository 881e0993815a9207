/* Strict parsing of the numbers a user writes: all of the text, or nothing. */
#ifndef EBPH_NUMBER_H
#define EBPH_NUMBER_H

#include <stdint.h>

/* No process has a larger id: PID_MAX_LIMIT of the kernel. */
enum { PID_LIMIT = 4194304 };

/*
 * Every function returns 0, -EINVAL if the text is not such a number, or
 * -ERANGE if it is one, but too small or too big. Signs, blanks and anything
 * behind the number are refused. On failure the result is left untouched.
 */

/* Decimal digits only; the number must be in min..max. */
int number_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/*
 * A duration such as 3, 0.5, 250ms, 1.5h or 1w (ms s m h d w; seconds without
 * a unit), in nanoseconds: 0..INT64_MAX, so that it can be added to a clock.
 * Parts of a nanosecond are cut off; what is not 0 but would become 0 is
 * -ERANGE.
 */
int number_duration_ns(const char *text, uint64_t *ns);

/* A whole number of bytes, or of K, M or G (powers of 1024): 0..UINT64_MAX. */
int number_size(const char *text, uint64_t *bytes);

/* N or N/D, N alone meaning N/1; both 1..65535. It is not reduced. */
int number_ratio(const char *text, uint32_t *num, uint32_t *den);

#endif
