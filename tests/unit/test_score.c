/* SPDX-License-Identifier: GPL-2.0-only */
/* Areas and detection rates, against counting all pairs; and the plot's frame. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plot.h"
#include "score.h"
#include "svg.h"

static void area_is_the_share_of_pairs_in_order(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		struct sample s[60];
		size_t count = 2 + rand() % 58;
		double wins = 0, pairs = 0;
		struct roc r;

		for (size_t i = 0; i < count; i++)
			s[i] = (struct sample){rand() % 10,
					       i == 0 || (i > 1 && rand() % 2)};
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k < count; k++)
				if (s[i].attack && !s[k].attack) {
					pairs++;
					wins += s[i].value > s[k].value	   ? 1
						: s[i].value == s[k].value ? 0.5
									   : 0;
				}
		assert_int_equal(roc_make(&r, s, count), 0);
		assert_float_equal(r.area, wins / pairs, 1e-9);
		assert_float_equal(r.points[0].detected + r.points[0].false_alarms, 0, 0);
		assert_float_equal(r.points[r.count - 1].detected, 1, 1e-12);
		assert_float_equal(r.points[r.count - 1].false_alarms, 1, 1e-12);
		roc_free(&r);
	}
}

static void detection_never_takes_more_false_alarms(void **state)
{
	/* Down the values: attack, normal, attack and normal at once, attack, 2 normal. */
	struct sample s[] = {{9, true}, {8, false}, {7, true}, {7, false},
			     {6, true}, {5, false}, {5, false}};
	struct roc r;

	(void)state;
	assert_int_equal(roc_make(&r, s, 7), 0);
	assert_float_equal(roc_detected(&r, 0), 1 / 3.0, 1e-12);
	assert_float_equal(roc_detected(&r, 0.24), 1 / 3.0, 1e-12);
	assert_float_equal(roc_detected(&r, 0.25), 1 / 3.0, 1e-12);
	assert_float_equal(roc_detected(&r, 0.5), 1, 1e-12);
	assert_float_equal(roc_detected(&r, 1), 1, 1e-12);
	roc_free(&r);
}

static void both_kinds_are_needed(void **state)
{
	struct sample s[] = {{1, true}, {2, true}};
	struct roc r;

	(void)state;
	assert_int_equal(roc_make(&r, s, 2), -EINVAL);
	assert_int_equal(roc_make(&r, s, 0), -EINVAL);
	s[0].attack = false;
	s[1].attack = false;
	assert_int_equal(roc_make(&r, s, 2), -EINVAL);
}

static void text_is_escaped_and_values_have_places(void **state)
{
	const struct svg_axes a = {.left = 10,
				   .top = 20,
				   .width = 100,
				   .height = 200,
				   .x_min = 0,
				   .x_max = 50,
				   .y_min = -1,
				   .y_max = 1};
	char text[512] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_float_equal(svg_x(&a, 25), 60, 1e-9);
	assert_float_equal(svg_y(&a, 1), 20, 1e-9);
	assert_float_equal(svg_y(&a, -1), 220, 1e-9);
	svg_text(f, 1, 2, 3, SVG_END, -90, "<a & \"b\">\n");
	fclose(f);
	assert_non_null(strstr(text, "&lt;a &amp; &quot;b&quot;&gt;?</text>"));
	assert_non_null(strstr(text, "rotate(-90 1.00 2.00)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(area_is_the_share_of_pairs_in_order),
		cmocka_unit_test(detection_never_takes_more_false_alarms),
		cmocka_unit_test(both_kinds_are_needed),
		cmocka_unit_test(text_is_escaped_and_values_have_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
