/* SPDX-License-Identifier: GPL-2.0-only */
/* What a profile has seen, as a seccomp profile of the OCI runtime specification. */
#ifndef EBPH_OCI_H
#define EBPH_OCI_H

#include <jansson.h>

#include "image.h"

/*
 * A seccomp profile that allows every call IM knows, and those few that a program may
 * make without ebph having seen them (oci.c), and lets all others fail with EPERM. Calls
 * that have no name cannot be in it: LEAVE_OUT is told of each. json_decref() it; NULL:
 * no memory.
 */
json_t *oci_profile(const struct image *im,
		    void (*leave_out)(void *context, const char *label), void *context);

/*
 * Have libseccomp build the filter that PROFILE (from oci_profile()) describes, without
 * loading it. 0, or -errno with WHY (why_size bytes) set.
 */
int oci_check(const json_t *profile, char *why, size_t why_size);

#endif
