/* SPDX-License-Identifier: GPL-2.0-only */
/* A profile that was saved, as a model of the detector in user space. */
#ifndef EBPH_MODEL_IMAGE_H
#define EBPH_MODEL_IMAGE_H

#include "detector.h"
#include "image.h"

/*
 * NULL when a replay with windows of WINDOW calls can test against IM; else why not, and
 * what to do, to follow "FILE: ".
 */
const char *model_image_misfit(const struct image *im, u32 window);

/*
 * Give D a model of IM's program, in training: what it has learned is what IM tests
 * against if IM is normal, else all that IM has learned. (A normal profile's train pairs
 * hold anomalies too.) IM stays the caller's. 0, -EEXIST when D has a model of that
 * program, -ENOMEM.
 */
int model_image_add(struct detector *d, const struct image *im);

#endif
