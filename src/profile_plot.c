/* SPDX-License-Identifier: GPL-2.0-only */
/* ebph profile plot: pairs as a heat map, rows of current, columns of earlier calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_cmd.h"
#include "svg.h"
#include "lookahead.h"

/* Pixels. A letter is narrower than LETTER at this size in any usual font. */
enum { CELL = 13, LETTERS = 9, TITLE = 14, TOP = 64, MARGIN = 24, LEGEND = 230 };
static const double LETTER = 5.8;

struct plot {
	FILE *out;
	const struct image *a, *b; /* b: NULL for one profile */
	u32 shift;
	u32 calls;
	u16 symbol[IMAGE_CALLS_MAX];
	char (*label)[SYSCALL_LABEL];
	double left, top, side; /* of the map */
};

static const char *const blues[] = {"#cbdff1", "#afcfe9", "#8fbde0", "#6daad6",
				    "#4b93c8", "#2f79b5", "#18609f", "#083f7a"};
static const char *const reds[] = {"#fcd2c0", "#fbb8a0", "#fa9c80", "#f77d5f",
				   "#ee5b42", "#d53a2d", "#b31b1e", "#820812"};
static const char *const purples[] = {"#ddd8ec", "#cac3e1", "#b3a9d4", "#9b8ec6",
				      "#8474b5", "#6f58a3", "#5b3891", "#451a7a"};
static const char *const greys[] = {"#f0f0f0", "#e4e4e4", "#d8d8d8", "#cccccc",
				    "#c0c0c0", "#b4b4b4", "#a8a8a8", "#9c9c9c"};

static u8 bits_of(const struct image *im, u32 shift, u32 current, u32 earlier)
{
	int i = image_find(im, current), j = image_find(im, earlier);

	return i < 0 || j < 0 ? 0 : (u8)(*image_cell(im, (u32)i, (u32)j) >> shift);
}

/* ---- the axes ---- */

/* 1 when call I is in a pair that is drawn. */
static bool is_drawn(const struct image *im, u32 i, u32 shift)
{
	for (u32 j = 0; j < im->calls; j++)
		if ((*image_cell(im, i, j) >> shift & 0xff) ||
		    (*image_cell(im, j, i) >> shift & 0xff))
			return true;
	return false;
}

static int by_value(const void *a, const void *b)
{
	return (int)*(const u16 *)a - (int)*(const u16 *)b;
}

/* Add IM's calls to the axes, in order, each once. */
static void add_calls(struct plot *p, const struct image *im)
{
	u32 known = p->calls;

	for (u32 i = 0; i < im->calls; i++) {
		u16 symbol = im->call[i].symbol;

		if (is_drawn(im, i, p->shift) &&
		    !bsearch(&symbol, p->symbol, known, sizeof(symbol), by_value))
			p->symbol[p->calls++] = symbol;
	}
	qsort(p->symbol, p->calls, sizeof(*p->symbol), by_value);
}

static int set_labels(struct plot *p)
{
	size_t longest = 0;

	p->label = calloc(p->calls + 1, sizeof(*p->label));
	if (!p->label)
		return -ENOMEM;
	for (u32 i = 0; i < p->calls; i++) {
		size_t length;

		syscall_label(p->a->arch, p->symbol[i], p->label[i], SYSCALL_LABEL);
		length = strlen(p->label[i]);
		longest = length > longest ? length : longest;
	}
	p->left = MARGIN + 20 + LETTER * (double)longest;
	p->top = TOP + 20 + LETTER * (double)longest;
	p->side = CELL * (double)p->calls;
	return 0;
}

static void draw_axes(const struct plot *p)
{
	for (u32 i = 0; i < p->calls; i++) {
		double middle = CELL * (i + 0.5) + LETTERS * 0.35;

		svg_text(p->out, p->left - 4, p->top + middle, LETTERS, SVG_END, 0,
			 p->label[i]);
		svg_text(p->out, p->left + middle, p->top - 4, LETTERS, SVG_START, -90,
			 p->label[i]);
	}
	svg_text(p->out, MARGIN - 8, p->top + p->side / 2, TITLE - 2, SVG_MIDDLE, -90,
		 "current call");
	svg_text(p->out, p->left + p->side / 2, TOP + 4, TITLE - 2, SVG_MIDDLE, 0,
		 "earlier call");
}

/* ---- the map ---- */

static void write_distances(char *text, size_t size, const char *name, u8 bits)
{
	size_t length = strlen(text);

	if (!bits)
		return;
	snprintf(text + length, size - length, "%s", name);
	for (int d = 1; d <= DISTANCES; d++)
		if (bits >> (d - 1) & 1) {
			length = strlen(text);
			snprintf(text + length, size - length, " %d", d);
		}
}

static const char *colour(const struct plot *p, u8 a, u8 b)
{
	u8 only_a = a & ~b, only_b = b & ~a;

	if (!p->b)
		return blues[__builtin_popcount(a) - 1];
	if (only_a && only_b)
		return purples[__builtin_popcount(a ^ b) - 1];
	if (only_a)
		return reds[__builtin_popcount(only_a) - 1];
	if (only_b)
		return blues[__builtin_popcount(only_b) - 1];
	return greys[__builtin_popcount(a) - 1];
}

static void draw_cell(const struct plot *p, u32 i, u32 j)
{
	u8 a = bits_of(p->a, p->shift, p->symbol[i], p->symbol[j]);
	u8 b = p->b ? bits_of(p->b, p->shift, p->symbol[i], p->symbol[j]) : 0;
	char title[3 * SYSCALL_LABEL];

	if (!a && !b)
		return;
	snprintf(title, sizeof(title), "%s, %s", p->label[i], p->label[j]);
	write_distances(title, sizeof(title), p->b ? "; A:" : ":", a);
	write_distances(title, sizeof(title), "; B:", b);
	svg_rect(p->out, p->left + CELL * (double)j, p->top + CELL * (double)i, CELL,
		 CELL, colour(p, a, b), title);
}

static void draw_map(const struct plot *p)
{
	for (u32 i = 0; i < p->calls; i++)
		for (u32 j = 0; j < p->calls; j++)
			draw_cell(p, i, j);
	for (u32 i = 0; i <= p->calls; i++) {
		double at = CELL * (double)i;

		svg_line(p->out, p->left + at, p->top, p->left + at, p->top + p->side,
			 "#dddddd", 0.5, "");
		svg_line(p->out, p->left, p->top + at, p->left + p->side, p->top + at,
			 "#dddddd", 0.5, "");
	}
}

/* ---- what is around it ---- */

static void draw_scale(const struct plot *p, double y, const char *name,
		       const char *const *colours)
{
	double x = p->left + p->side + MARGIN;
	char digit[2] = "1";

	svg_text(p->out, x, y - 5, LETTERS + 2, SVG_START, 0, name);
	for (int i = 0; i < DISTANCES; i++, digit[0]++) {
		svg_rect(p->out, x + 20.0 * i, y, 20, CELL, colours[i], NULL);
		svg_text(p->out, x + 20.0 * i + 10, y + CELL + 11, LETTERS, SVG_MIDDLE, 0,
			 digit);
	}
}

static void draw_legend(const struct plot *p)
{
	double y = p->top + 12;

	if (!p->b) {
		draw_scale(p, y, "distances seen", blues);
		return;
	}
	draw_scale(p, y, "distances only in A", reds);
	draw_scale(p, y + 50, "distances only in B", blues);
	draw_scale(p, y + 100, "some only in A, others only in B", purples);
	draw_scale(p, y + 150, "the same in both", greys);
}

static void draw_title(const struct plot *p, const struct image *im, double y,
		       const char *name)
{
	char *exe = profile_exe(im), *text = NULL;

	if (asprintf(&text, "%s%s: %u %s pairs of %u system calls, %s", name,
		     exe ? exe : "", image_pairs(im, p->shift),
		     p->shift == TEST_SHIFT ? "test" : "train", im->calls,
		     arch_name(im->arch)) < 0)
		text = NULL;
	svg_text(p->out, MARGIN, y, TITLE, SVG_START, 0, text ? text : "");
	free(text);
	free(exe);
}

static void draw(struct plot *p)
{
	double width = p->left + p->side + LEGEND, height = p->top + p->side + MARGIN;

	/* room for the titles and the legend beside few calls */
	svg_begin(p->out, width < 640 ? 640 : width, height < 300 ? 300 : height,
		  p->b ? "Two profiles of pairs" : "A profile of pairs");
	draw_title(p, p->a, 24, p->b ? "A: " : "");
	if (p->b)
		draw_title(p, p->b, 44, "B: ");
	draw_axes(p);
	draw_map(p);
	draw_legend(p);
	svg_end(p->out);
}

static int plot(const struct profile_args *args, const struct image *a,
		const struct image *b)
{
	struct plot p = {.a = a, .b = b, .shift = args->test ? TEST_SHIFT : TRAIN_SHIFT};
	char *text = NULL;
	size_t size;
	int result;

	if (b && a->arch != b->arch) {
		profile_error("the profiles are of different machines");
		return -EXDEV;
	}
	add_calls(&p, a);
	if (b)
		add_calls(&p, b);
	result = set_labels(&p);
	p.out = result ? NULL : open_memstream(&text, &size);
	if (p.out) {
		draw(&p);
		result = fclose(p.out) ? -ENOMEM : 0;
	}
	if (result || !text)
		profile_error("out of memory");
	else
		result = profile_output(args, text, size);
	if (!result)
		profile_done(args, a, args->output);
	free(text);
	free(p.label);
	return result;
}

int profile_cmd_plot(const struct profile_args *a)
{
	struct found first, second = {0};
	int result;

	if (!a->output) {
		profile_error("plot needs -o FILE.svg");
		return 2;
	}
	if (profile_find(a, a->names[0], &first))
		return 1;
	result = a->count > 1 ? profile_find(a, a->names[1], &second) : 0;
	if (!result)
		result = plot(a, &first.image, a->count > 1 ? &second.image : NULL);
	found_free(&first);
	found_free(&second);
	return profile_flush() || result ? 1 : 0;
}
