/* SPDX-License-Identifier: GPL-2.0-only */
/* The words for what the kernel side answers, which an operator reads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "types.h"
#include "model.h"

static void each_answer_has_a_word(void **state)
{
	(void)state;
	assert_string_equal(answer_text(ANSWER_DONE), "done");
	assert_string_equal(answer_text(ANSWER_NO_PROFILE), "gone");
	assert_string_equal(answer_text(ANSWER_IN_USE), "in use");
	assert_string_equal(answer_text(ANSWER_LOCKED), "busy");
	assert_string_equal(answer_text(-EPERM), strerror(EPERM));
	assert_string_equal(answer_text(-EBUSY), strerror(EBUSY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
