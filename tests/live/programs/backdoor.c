/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thesis's kind of victim: it answers each line with a line, but to `open sesame` it
 * becomes a shell. Says so when that fails, and goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char line[256];

	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "open sesame\n")) {
			printf("you said: %s", line);
			continue;
		}
		execl("/bin/sh", "sh", "-c", "echo a shell", (char *)NULL);
		printf("no shell: %s\n", strerror(errno));
	}
	return 0;
}
