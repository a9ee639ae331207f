/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The agent: all domains of one libvirt connection, on libvirt's event loop.
 * One agent a process: libvirt's loop is the process's. */
#ifndef MEMCTXD_AGENT_H
#define MEMCTXD_AGENT_H

#include "base/error.h"
#include "domain/domain.h"
#include "common/log.h"
#include "text/text.h"
#include "watch/event.h"
#include "config/settings.h"

struct agent;

/* How it is, for who tells others. */
struct agent_view {
    bool is_connected; /* libvirt was reached: its list of domains follows */
    bool is_complete;  /* ... and has come */
    bool is_stopping;
    uint64_t changes; /* of what others see of the domains, counted */
};

void agent_look(const struct agent *agent, struct agent_view *ret);

/* How many domains are in each state. Returns how many there are. Loop thread.
 */
unsigned agent_count(const struct agent *agent, unsigned ret[MEMCTX_STATES]);

/* Make everything ready. virEventRegisterDefaultImpl() must have been called
 * before any other libvirt call. `dir` is the agent's directory; settings and
 * log must outlive the agent. `stub`: synthetic RAM for every domain. -1 with
 * PERMANENT: the directory cannot be used, or another agent uses it. */
int agent_create(const struct settings *settings, const char *dir, bool stub,
                 const struct log *log, struct agent **ret,
                 struct memctx_error *err);

/* The settings that the agent was made with have changed, as settings_reload()
 * changes them: act by them. Nothing is withdrawn but what they leave out. Loop
 * thread. */
void agent_reload(struct agent *agent);

/* Add what is measured of the agent and all its domains, as Prometheus' text.
 * Loop thread. */
void agent_measure(const struct agent *agent, struct memctx_text *text);

/* Run one turn of the event loop, which waits for something to happen. False
 * once the agent has stopped. */
bool agent_turn(struct agent *agent);

/* Has it stopped because another one vouches for the domains of this
 * connection? That was logged, and nothing of the other's was touched. */
bool agent_was_refused(const struct agent *agent);

/* Where the events come from that the agent acts on; for tests, which push some
 * that their libvirt driver does not send. */
struct queue *agent_queue(struct agent *agent);

/* Has it stopped because its directory became another agent's? That was logged.
 */
bool agent_was_evicted(const struct agent *agent);

/* Withdraw all data, then stop. The second call stops at once. */
void agent_stop(struct agent *agent);

/* Free everything. After a stop at once, threads that hang in libvirt are not
 * waited for: the caller ends the process. NULL is fine. */
void agent_destroy(struct agent *agent);

#endif
