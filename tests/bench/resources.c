/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "resources.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "types.h"
#include "model.h"
#include "watcher.h"

enum { MAPS_MAX = 256, PROGRAMS_MAX = 64 };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The number behind "KEY" at the beginning of a line of file PATH; -1: none. */
static double field(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	double value = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			value = strtod(line + strlen(key), NULL);
	if (f)
		fclose(f);
	return value;
}

/*
 * Bytes of the kernel's arrays that process PID has mapped to write to: they are in its
 * resident memory, and in the kernel's.
 */
static double mapped_bytes(pid_t pid)
{
	unsigned long from, to;
	char path[64], line[256], mode[5];
	double bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "anon_inode:bpf-map") &&
		    sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[1] == 'w')
			bytes += (double)(to - from);
	if (f)
		fclose(f);
	return bytes;
}

/* ---- kernel memory ---- */

/* The maps and programs that hang on a process, each once. */
struct holdings {
	__u32 map[MAPS_MAX], program[PROGRAMS_MAX];
	size_t maps, programs;
};

static void hold(__u32 *list, size_t *count, size_t max, __u32 id)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i] == id)
			return;
	if (*count < max)
		list[(*count)++] = id;
}

/* The maps that a program uses: not all need be open in the process. */
static void hold_program(struct holdings *h, __u32 id)
{
	__u32 maps[MAPS_MAX];
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	hold(h->program, &h->programs, PROGRAMS_MAX, id);
	info.nr_map_ids = MAPS_MAX;
	info.map_ids = (__u64)(unsigned long)maps;
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
			hold(h->map, &h->maps, MAPS_MAX, maps[i]);
	if (fd >= 0)
		close(fd);
}

static void holdings_of(struct holdings *h, pid_t pid)
{
	char path[320];
	struct dirent *e;
	DIR *dir;

	memset(h, 0, sizeof(*h));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		double map, program;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, e->d_name);
		map = field(path, "map_id:");
		program = field(path, "prog_id:");
		if (map >= 0)
			hold(h->map, &h->maps, MAPS_MAX, map);
		if (program >= 0)
			hold_program(h, program);
	}
	if (dir)
		closedir(dir);
}

/* What the kernel accounts to the object behind FD, which is closed. */
static double memory_of(int fd)
{
	char path[64];
	double bytes;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	bytes = fd < 0 ? 0 : field(path, "memlock:");
	if (fd >= 0)
		close(fd);
	return bytes > 0 ? bytes : 0;
}

static double memory_total(const struct holdings *h)
{
	double bytes = 0;

	for (size_t i = 0; i < h->maps; i++)
		bytes += memory_of(bpf_map_get_fd_by_id(h->map[i]));
	for (size_t i = 0; i < h->programs; i++)
		bytes += memory_of(bpf_prog_get_fd_by_id(h->program[i]));
	return bytes;
}

/* The map called NAME with values of SIZE bytes; -1: none. ENTRIES: how many. */
static int find_map(const struct holdings *h, const char *name, size_t size,
		    __u32 *entries)
{
	for (size_t i = 0; i < h->maps; i++) {
		struct bpf_map_info info = {0};
		__u32 length = sizeof(info);
		int fd = bpf_map_get_fd_by_id(h->map[i]);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    !strcmp(info.name, name) && info.value_size == size) {
			*entries = info.max_entries;
			return fd;
		}
		close(fd);
	}
	return -1;
}

/* Blocks of rows that P holds. */
static size_t rows_of(const struct profile *p, int rows)
{
	size_t count = 0;
	struct row r;

	for (int i = 0; i < 256; i++) {
		if (!p->row[i])
			continue;
		count++;
		if (bpf_map_lookup_elem(rows, &p->row[i], &r))
			continue;
		for (int k = 0; k < CHUNKS - 1; k++)
			count += r.more[k] != 0;
	}
	return count;
}

static void measure_profiles(struct resources *r, const struct holdings *h)
{
	static struct series bytes;
	__u32 entries = 0, unused;
	int profiles = find_map(h, "profiles", sizeof(struct profile), &entries);
	int rows = find_map(h, "rows", sizeof(struct row), &unused);
	struct profile p;

	bytes.count = 0;
	for (__u32 i = 1; profiles >= 0 && rows >= 0 && i < entries; i++)
		if (!bpf_map_lookup_elem(profiles, &i, &p) && p.state != STATE_FREE)
			series_add(&bytes,
				   sizeof(p) + rows_of(&p, rows) * sizeof(struct row));
	if (profiles >= 0)
		close(profiles);
	if (rows >= 0)
		close(rows);
	r->profile_bytes = series_spread(&bytes);
	if (!bytes.count)
		snprintf(
			r->profile_why, sizeof(r->profile_why),
			"no profiles found: this ebph has other maps than src/model.h says");
}

/* ---- work and idleness ---- */

/* What goes on where people and scripts use Debian. */
static const char work[] =
	"cd /tmp && d=$(mktemp -d) && cd $d && for i in 1 2 3; do "
	"ls -lR /etc >list 2>/dev/null; find /usr/share -name '*.gz' >found; "
	"grep -r root /etc >hits 2>/dev/null; sort list | uniq -c | sort -rn | head >top; "
	"awk '{n += length($0)} END {print n}' list; sed 's/a/b/' list | wc; "
	"tar cf a.tar list found; gzip -kf a.tar; gzip -dc a.tar.gz | tar tf -; "
	"xz -kf a.tar; md5sum a.tar; cut -c1-9 list | tr a-z A-Z | tail -3; "
	"dpkg -l; dpkg-query -W; ps aux; id; date; uname -a; df; du -s /usr/share/doc; "
	"cp a.tar b.tar; mv b.tar c.tar; chmod 600 c.tar; stat c.tar; cmp a.tar c.tar; "
	"diff list found; ln -s a.tar l; readlink l; rm c.tar l; mkdir -p x/y; rmdir x/y x; "
	"touch t; env; hostname; sleep 0.1; bash -c 'echo $((1+1))'; dash -c :; "
	"echo 'int main(void){return 0;}' >m.c; gcc m.c -o m; ./m; make -n; strip m; "
	"perl -e 'print 1'; find . -type f | xargs file; nproc; who; seq 99 | shuf; "
	"done >/dev/null 2>&1; cd /; rm -rf $d";

/* CPU time, s, that process PID has taken. */
static double cpu_seconds(pid_t pid)
{
	char path[64];
	double ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%lf", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns / 1e9;
}

/* Idle and all time of all CPUs, in ticks. */
static void machine_time(double *idle, double *all)
{
	FILE *f = fopen("/proc/stat", "re");
	double t[8] = {0};

	if (f && fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2],
			&t[3], &t[4], &t[5], &t[6], &t[7]) < 4)
		t[3] = 0;
	if (f)
		fclose(f);
	*idle = t[3] + t[4];
	*all = 0;
	for (int i = 0; i < 8; i++)
		*all += t[i];
}

static void measure_idle(struct resources *r, pid_t pid, double wanted)
{
	double idle, all, idle2, all2, cpu, start = seconds(), share;

	machine_time(&idle, &all);
	cpu = cpu_seconds(pid);
	usleep(wanted * 1e6);
	r->idle_cpu = (cpu_seconds(pid) - cpu) / (seconds() - start);
	machine_time(&idle2, &all2);
	share = all2 > all ? (idle2 - idle) / (all2 - all) : 0;
	if (share < 0.95)
		snprintf(r->idle_why, sizeof(r->idle_why),
			 "the machine was not idle: %.0f %% busy (ebph took %.3f %%)",
			 100 * (1 - share), 100 * r->idle_cpu);
}

void resources_measure(struct resources *r, const char *ebph, const char *dir,
		       double idle_seconds)
{
	static const char *const none[] = {NULL};
	struct holdings h;
	struct watcher w;
	char path[64];
	int status, result = watcher_start(&w, ebph, none, dir);

	if (result) {
		snprintf(r->why, sizeof(r->why), "ebph did not start: %s",
			 strerror(-result));
		memcpy(r->profile_why, r->why, sizeof(r->why));
		memcpy(r->idle_why, r->why, sizeof(r->why));
		return;
	}
	*r->why = *r->profile_why = *r->idle_why = 0;
	holdings_of(&h, w.pid);
	r->kernel_bytes = memory_total(&h);
	status = system(work);
	if (status)
		fprintf(stderr, "bench: the work ended with status %#x\n", status);
	measure_profiles(r, &h);
	usleep(1000000);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)w.pid);
	r->resident_bytes = field(path, "VmRSS:") * 1024 - mapped_bytes(w.pid);
	measure_idle(r, w.pid, idle_seconds);
	watcher_stop(&w);
}

/* ---- start ---- */

/* Seconds from the start of PROGRAM to its end; -1 when it fails. */
static double time_program(const char *program)
{
	double start = seconds();
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status ? seconds() - start
								     : -1;
}

void resources_start(struct resources *r, const char *ebph, const char *compile,
		     const char *dir, int rounds)
{
	static const char *const none[] = {NULL};
	static struct series start, bare;

	start.count = bare.count = 0;
	for (int i = 0; i < rounds; i++) {
		double before = time_program(compile), after;
		struct watcher w;

		if (before < 0 || watcher_start(&w, ebph, none, dir))
			continue;
		watcher_stop(&w);
		after = time_program(compile);
		if (after < 0)
			continue;
		series_add(&bare, (before + after) / 2);
		series_add(&start, w.started);
		series_add(&r->start_beyond, w.started - (before + after) / 2);
	}
	r->start = series_spread(&start);
	r->compile = series_spread(&bare);
}
