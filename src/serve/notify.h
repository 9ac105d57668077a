/* Telling systemd how it stands (sd_notify(3)): a datagram to the socket that
 * NOTIFY_SOCKET names, which is all of that protocol that a daemon needs. */
#pragma once

/* "READY=1", "STOPPING=1"... Without NOTIFY_SOCKET nothing is done. The first
 * call opens the socket, which must be before it cannot be opened any more. */
void notify_open(void);
void notify_send(const char *state);
