/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "project.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MODULES = 12, FUNCTIONS = 20 };

static FILE *create(const char *dir, const char *format, ...)
{
	char path[320], name[64];
	va_list ap;

	va_start(ap, format);
	vsnprintf(name, sizeof(name), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fopen(path, "we");
}

static int write_module(const char *dir, int module)
{
	FILE *f = create(dir, "module%d.c", module);

	if (!f)
		return -errno;
	fprintf(f, "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
		   "#include \"all.h\"\n");
	for (int i = 0; i < FUNCTIONS; i++)
		fprintf(f,
			"static int step%d(const char *text, int n)\n{\n"
			"\tchar copy[64];\n\tint sum = %d;\n\n"
			"\tsnprintf(copy, sizeof(copy), \"%%s %%d\", text, n);\n"
			"\tfor (size_t i = 0; i < strlen(copy); i++)\n"
			"\t\tsum = sum * 31 + copy[i] %% (n + %d);\n"
			"\treturn sum;\n}\n\n",
			i, i * module, i + 1);
	fprintf(f, "int module%d(int n)\n{\n\tint sum = 0;\n\n", module);
	for (int i = 0; i < FUNCTIONS; i++)
		fprintf(f, "\tsum += step%d(\"module%d\", n + %d);\n", i, module, i);
	fprintf(f, "\treturn sum;\n}\n");
	return fclose(f) ? -errno : 0;
}

static int write_main(const char *dir)
{
	FILE *header = create(dir, "all.h"), *f = create(dir, "main.c");

	if (!header || !f)
		return -errno;
	fprintf(f, "#include <stdio.h>\n#include \"all.h\"\n"
		   "int main(void)\n{\n\tint sum = 0;\n\n");
	for (int i = 0; i < MODULES; i++) {
		fprintf(header, "int module%d(int n);\n", i);
		fprintf(f, "\tsum += module%d(sum);\n", i);
	}
	fprintf(f, "\tprintf(\"%%d\\n\", sum);\n\treturn 0;\n}\n");
	return fclose(header) || fclose(f) ? -errno : 0;
}

static int write_makefile(const char *dir)
{
	FILE *f = create(dir, "Makefile");

	if (!f)
		return -errno;
	fprintf(f, "OBJECTS = main.o");
	for (int i = 0; i < MODULES; i++)
		fprintf(f, " module%d.o", i);
	fprintf(f, "\nCFLAGS = -O1\nprogram: $(OBJECTS)\n\t$(CC) -o $@ $(OBJECTS)\n"
		   "$(OBJECTS): all.h\n");
	return fclose(f) ? -errno : 0;
}

int project_write(const char *dir)
{
	char path[256];
	int result;

	snprintf(path, sizeof(path), "%s/project", dir);
	if (mkdir(path, 0700) || setenv("BENCH_PROJECT", path, 1))
		return -errno;
	result = write_main(path);
	if (!result)
		result = write_makefile(path);
	for (int i = 0; i < MODULES && !result; i++)
		result = write_module(path, i);
	return result;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void project_remove(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/project", dir);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
