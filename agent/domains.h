/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The domains that run: which there are, what libvirt's events do to them, and
 * who is told what becomes of them. Loop thread only. */
#ifndef MEMCTXD_DOMAINS_H
#define MEMCTXD_DOMAINS_H

#include "config/settings.h"
#include "control/control.h"
#include "lastlogs.h"
#include "leftout.h"
#include "publish/hooks.h"
#include "publish/publish.h"
#include "record/members.h"
#include "tries/adapter.h"
#include "watch/watch.h"

/* What domains act with. All of it outlives them, and must be there when the
 * first event is handled. */
struct domains_means {
    const struct settings *settings;
    const struct log *log;
    bool stub; /* synthetic RAM for every domain */
    int dirfd; /* where the state files are */
    struct watch *watch;
    struct publisher *publisher;
    struct hooks *hooks;
    struct control *control;
    struct lastlogs *lastlogs;
    struct adapter_means adapters;
};

/* Fields are for reading. */
struct domains {
    const struct domains_means *means;
    struct members members;
    struct leftout leftout;
    struct record_ops ops;
    unsigned connections; /* to libvirt, counted */
    bool is_complete;     /* libvirt is there, and has listed all */
    bool ending;          /* none is added any more */
    uint64_t changes;     /* of what others see of all this, counted */
};

/* `means` is borrowed. It may still be filled in. */
void domains_init(struct domains *domains, const struct domains_means *means);

/* Close the RAM of all; what stands published stays. */
void domains_deinit(struct domains *domains);

/* Nobody else vouches for the domains of this connection: take what is found in
 * them, and publish it. */
void domains_vouch(struct domains *domains);

/* The connection to libvirt stands; its list of domains follows. */
void domains_connected(struct domains *domains);

/* Something happened to a domain, or it was listed: EVENT_DOMAIN. */
void domains_handle(struct domains *domains, const struct event *event);

/* The list is complete: what was not in it is gone. */
void domains_listed(struct domains *domains);

/* The connection broke. */
void domains_lost(struct domains *domains);

enum domains_checks {
    DOMAINS_CHECKS,       /* an EVENT_CHECKED follows */
    DOMAINS_CHECKS_LATER, /* it is not known yet what should stand there */
    DOMAINS_LEAVES,       /* its metadata are not ours */
};

/* Have the publisher compare a domain's metadata with what should stand there,
 * and put them right. */
enum domains_checks domains_check(struct domains *domains, const char *uuid);

/* The metadata of this domain were wrong, and were put right. */
void domains_mark_repaired(struct domains *domains, const char *uuid);

/* Somebody else keeps changing the metadata of this domain, or does no more. */
void domains_mark_fought(struct domains *domains, const char *uuid,
                         bool fought);

/* The state files are gone, with their directory: write them anew. */
void domains_write_again(struct domains *domains);

/* Say what has become of domains that changed too fast for the log. */
void domains_tell_late(struct domains *domains, uint64_t now_ms);

/* The settings have changed, but for what is fixed while the agent runs: what
 * the key domains leaves out now is withdrawn, what it admits is looked for,
 * and all others take the new intervals. */
void domains_reload(struct domains *domains);

/* RAM of a domain was handed in; `arg` is the domains. */
service_attach_fn domains_attach;

/* Withdraw all data: the agent stops, and vouches for none any more. */
void domains_withdraw(struct domains *domains);

#endif
