/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* How long after libvirt told of a domain's start is the domain's RAM first
 * read? Looks on from outside: it hears the same events as the agent (libvirt
 * says "resumed" some milliseconds before "started"; the first counts), and
 * inotify tells when somebody reads the memfd. QEMU maps it and never does.
 *
 *   firstread URI DOMAIN PIDFILE [SECONDS]
 *
 * Start it before the domain: it prints "listening", then "READ MS" and ends;
 * exit 3 when nobody read the RAM in time. */
#include <dirent.h>
#include <err.h>
#include <libvirt/libvirt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 1

struct wait {
    const char *domain;
    const char *pidfile;
    int inotify;
    int timer;      /* looks for the RAM; -1 once it is watched */
    double end_s;   /* give up then */
    double start_s; /* when the first event came; 0: not yet */
    double read_s;  /* when the RAM was read first; 0: not yet */
    bool given_up;
};

static double
now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
is_ram(const char *path)
{
    char link[PATH_MAX];
    ssize_t len = readlink(path, link, sizeof(link) - 1);
    link[len > 0 ? len : 0] = '\0';
    return strstr(link, "memfd:memory-backend-memfd") != NULL;
}

/* Watch the RAM of process pid. False when it has none yet. */
static bool
watch_ram(const struct wait *w, int pid)
{
    char dir[64];
    snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
    DIR *fds = opendir(dir);
    bool found = false;
    struct dirent *entry;
    while (fds != NULL && !found && (entry = readdir(fds)) != NULL) {
        char path[sizeof(dir) + sizeof(entry->d_name) + 1];
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        found =
            is_ram(path) && inotify_add_watch(w->inotify, path, IN_ACCESS) >= 0;
    }
    if (fds != NULL)
        closedir(fds);
    return found;
}

static void
on_timer(int timer, void *opaque)
{
    struct wait *w = opaque;
    int pid;
    FILE *file = w->start_s == 0 ? fopen(w->pidfile, "re") : NULL;
    if (file != NULL && fscanf(file, "%d", &pid) == 1 && watch_ram(w, pid))
        virEventUpdateTimeout(timer, 1000);
    if (file != NULL)
        fclose(file);
    w->given_up = now_s() > w->end_s;
}

static void
on_inotify(int watch, int fd, int events, void *opaque)
{
    (void)watch;
    (void)events;
    struct wait *w = opaque;
    char buf[sizeof(struct inotify_event) + NAME_MAX + 1];
    if (read(fd, buf, sizeof(buf)) > 0 && w->read_s == 0)
        w->read_s = now_s();
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail,
             void *opaque)
{
    (void)conn;
    (void)detail;
    struct wait *w = opaque;
    if ((event == VIR_DOMAIN_EVENT_STARTED ||
         event == VIR_DOMAIN_EVENT_RESUMED) &&
        w->start_s == 0 && strcmp(virDomainGetName(dom), w->domain) == 0)
        w->start_s = now_s();
    return 0;
}

static virConnectPtr
listen_to(const char *uri, struct wait *w)
{
    if (virEventRegisterDefaultImpl() < 0)
        errx(1, "no event loop");
    virConnectPtr conn = virConnectOpenReadOnly(uri);
    if (conn == NULL)
        errx(1, "cannot connect to %s", uri);
    w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->timer = virEventAddTimeout(LOOK_MS, on_timer, w, NULL);
    if (w->inotify < 0 || w->timer < 0 ||
        virEventAddHandle(w->inotify, VIR_EVENT_HANDLE_READABLE, on_inotify, w,
                          NULL) < 0 ||
        virConnectDomainEventRegisterAny(
            conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            VIR_DOMAIN_EVENT_CALLBACK((void (*)(void))on_lifecycle), w,
            NULL) < 0)
        errx(1, "cannot listen");
    return conn;
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: firstread URI DOMAIN PIDFILE [SECONDS]\n");
        return 2;
    }
    struct wait w = {.domain = argv[2],
                     .pidfile = argv[3],
                     .end_s = now_s() + (argc > 4 ? atof(argv[4]) : 30)};
    virConnectPtr conn = listen_to(argv[1], &w);
    printf("listening\n");
    fflush(stdout);
    while ((w.read_s == 0 || w.start_s == 0) && !w.given_up) {
        if (virEventRunDefaultImpl() < 0)
            errx(1, "the event loop fails");
    }
    virConnectClose(conn);
    if (w.given_up)
        return 3;
    printf("READ %.3f\n", (w.read_s - w.start_s) * 1e3);
    return 0;
}
