/* SPDX-License-Identifier: GPL-2.0-only */
/* What kern.c is asked to do. */
enum property {
	PROPERTY_LEARN, /* all give the missing distances; LEARN sets them */
	PROPERTY_TRAINED,
	PROPERTY_TEST,
	PROPERTY_NORMALIZE,
	PROPERTY_SENSITIZE,
	PROPERTY_RESET,
	PROPERTY_FRAME,		/* gives the LFC */
	PROPERTY_KNOWS = 0x100, /* with the missing distances: row_knows() says none is */
	PROPERTY_FAILED = 0x10000,
};
