/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * notified: a desktop's notification server on the session bus that prints, for each
 * notification, its urgency, summary and body. Says "ready" when it can be called.
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

/* The byte that belongs to "urgency" in the a{sv} that comes next; -1: none. */
static int read_urgency(sd_bus_message *m)
{
	unsigned char urgency;
	const char *name;
	int found = -1;

	if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		return -1;
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		sd_bus_message_read(m, "s", &name);
		if (strcmp(name, "urgency"))
			sd_bus_message_skip(m, "v");
		else if (sd_bus_message_read(m, "v", "y", &urgency) > 0)
			found = urgency;
		sd_bus_message_exit_container(m);
	}
	sd_bus_message_exit_container(m);
	return found;
}

static int on_notify(sd_bus_message *m, void *unused, sd_bus_error *error)
{
	const char *name, *icon, *summary, *body;
	unsigned int replaces;
	int result, urgency;

	(void)unused;
	(void)error;
	result =
		sd_bus_message_read(m, "susss", &name, &replaces, &icon, &summary, &body);
	if (result < 0)
		return result;
	sd_bus_message_skip(m, "as"); /* actions */
	urgency = read_urgency(m);
	printf("%d %s: %s\n", urgency, summary, body);
	fflush(stdout);
	return sd_bus_reply_method_return(m, "u", 1U);
}

static int on_information(sd_bus_message *m, void *unused, sd_bus_error *error)
{
	(void)unused;
	(void)error;
	return sd_bus_reply_method_return(m, "ssss", "notified", "ebph", "1", "1.2");
}

static const sd_bus_vtable notifications[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_notify,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetServerInformation", "", "ssss", on_information,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	sd_bus *bus;
	int result = sd_bus_open_user(&bus);

	if (result >= 0)
		result = sd_bus_add_object_vtable(bus, NULL,
						  "/org/freedesktop/Notifications",
						  "org.freedesktop.Notifications",
						  notifications, NULL);
	if (result >= 0)
		result = sd_bus_request_name(bus, "org.freedesktop.Notifications", 0);
	if (result >= 0) {
		puts("ready");
		fflush(stdout);
	}
	while (result >= 0) {
		result = sd_bus_process(bus, NULL);
		if (!result)
			result = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "notified: %s\n", strerror(-result));
	return 1;
}
