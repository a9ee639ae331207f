/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* A hook of libvirt's QEMU driver, to be copied into
 * /etc/libvirt/hooks/qemu.d/: tells memctxd to look now, and nothing else.
 *
 * While a hook runs, the start of its domain waits and so does everybody who
 * lists domains; one that fails kills the guest; what one prints becomes the
 * domain's XML in some operations; one that calls libvirt hangs. So this is a
 * program and no script, prints nothing, calls no libvirt, ends with 0 whatever
 * happens, and within LIMIT_MS whoever does not answer. */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT_MS 30
#define HINT_SOCKET "memctxd/hint.sock"

static void
leave(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

/* Nothing below waits for long; this is for what adds up, such as input that
 * comes byte by byte, and for what nobody has thought of. */
static void
limit_time(void)
{
    const struct itimerval limit = {.it_value = {.tv_usec = LIMIT_MS * 1000}};
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    signal(SIGALRM, leave);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    signal(SIGPIPE, SIG_IGN);
    setitimer(ITIMER_REAL, &limit, NULL);
}

/* The agent's directory is below `dir`. A hint that is not taken is no loss. */
static void
send_hint(int fd, const char *dir, const char *hint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path),
                     "%s/" HINT_SOCKET, dir);
    if (n > 0 && (size_t)n < sizeof(address.sun_path))
        sendto(fd, hint, strlen(hint), MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&address, sizeof(address));
}

/* libvirt gives hooks no XDG_RUNTIME_DIR: a session's agent is looked for where
 * login managers put it, and where it goes without one. */
static void
send_session_hints(int fd, const char *hint)
{
    const char *home = getenv("HOME");
    char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    snprintf(dir, sizeof(dir), "/run/user/%u", (unsigned)getuid());
    send_hint(fd, dir, hint);
    if (home != NULL &&
        (size_t)snprintf(dir, sizeof(dir), "%s/.cache", home) < sizeof(dir))
        send_hint(fd, dir, hint);
}

static void
send_hints(const char *hint)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *run = getenv("XDG_RUNTIME_DIR");
    if (fd < 0)
        return;
    if (run != NULL)
        send_hint(fd, run, hint);
    if (getuid() == 0)
        send_hint(fd, "/run", hint);
    else
        send_session_hints(fd, hint);
    close(fd);
}

/* libvirt writes the domain's XML to us; it may not like a closed pipe. */
static void
drain_input(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char ignored[65536];
    while (poll(&input, 1, LIMIT_MS) > 0 &&
           read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
        ;
}

int
main(int argc, char **argv)
{
    char hint[512];
    limit_time();
    snprintf(hint, sizeof(hint), "%s %s", argc > 2 ? argv[2] : "-",
             argc > 1 ? argv[1] : "-");
    send_hints(hint);
    drain_input();
    return 0;
}
