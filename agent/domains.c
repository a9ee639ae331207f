/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Keeps one record per domain, brings it its events, and tells the publisher,
 * the hooks and the control socket what comes of it. */
#include "domains.h"

#include "publish/statefile.h"
#include "record/hold.h"
#include "record/opener.h"
#include "record/tell.h"
#include "wire/clocks.h"
#include "wire/statepage.h"

/* What a line of the log is about: a record or an event, which have a domain's
 * name and UUID. */
#define ABOUT(kind_, of_)  \
    ((struct log_subject){ \
        .kind = (kind_), .domain = (of_)->name, .uuid = (of_)->uuid})

/* Those that are told of an end are told of the log that was left, too. */
static void
call_hooks(struct domains *d, const struct record *record, enum hooks_what what)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct member *member = members_find(&d->members, record->uuid);
    struct hooks_file *log = what != HOOKS_READY && member != NULL
                                 ? lastlog_for_hooks(member->log)
                                 : NULL;
    if (hooks_run(d->means->hooks, record->uuid, record->name, what,
                  &record->datum, log, &err) < 0)
        log_about(d->means->log, LOG_LEVEL_ERROR,
                  &ABOUT(LOG_KIND_HOOK_FAILED, record),
                  "uuid=%s hooks not called: %s", record->uuid, err.message);
}

static void
write_datum(struct domains *d, const struct record *record,
            const struct memctx_datum *datum)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    const struct publisher_run run = {record->uuid, record->id, &record->run};
    if (publisher_set(d->means->publisher, &run, datum, &err) < 0)
        log_about(d->means->log, LOG_LEVEL_ERROR,
                  &ABOUT(LOG_KIND_UNPUBLISHED, record),
                  "uuid=%s not published: %s", record->uuid, err.message);
}

/* A guest whose kernel stops and goes on again and again. */
#define SILENT_HOOK_US 60000000u

/* Hooks are told at most once a minute that a kernel does not run. */
static bool
is_told_silent(struct member *member, unsigned generation)
{
    uint64_t now_us = clocks_us(CLOCK_MONOTONIC);
    bool told = member->silent == generation &&
                now_us - member->silent_us < SILENT_HOOK_US;
    if (!told) {
        member->silent = generation;
        member->silent_us = now_us;
    }
    return told;
}

/* Hooks are told once of each generation; again by an agent that is new, since
 * nobody knows what the one before could do. */
static void
announce(struct domains *d, struct member *member,
         const struct memctx_datum *datum)
{
    bool runs = datum->live == MEMCTX_LIVE_RUNS;
    bool told = runs ? member->announced == datum->generation
                     : is_told_silent(member, datum->generation);
    if (told)
        return;
    if (runs)
        member->announced = datum->generation;
    call_hooks(d, member->record, runs ? HOOKS_READY : HOOKS_SILENT);
}

static void
on_publish(void *arg, const struct record *record,
           const struct memctx_datum *datum)
{
    struct domains *d = arg;
    struct member *member = members_find(&d->members, record->uuid);
    write_datum(d, record, datum);
    if (member != NULL)
        announce(d, member, datum);
}

/* What stands in the metadata stays as it is. */
static void
on_remember(void *arg, const struct record *record)
{
    write_datum(arg, record, record_published(record));
}

static void
on_withdraw(void *arg, const struct record *record)
{
    struct domains *d = arg;
    struct member *member = members_find(&d->members, record->uuid);
    write_datum(d, record, NULL);
    if (record->has_datum)
        call_hooks(d, record, HOOKS_LOST);
    if (member != NULL)
        member->announced = member->silent = 0;
}

static void
on_changed(void *arg, const struct record *record)
{
    struct domains *d = arg;
    struct member *member = members_find(&d->members, record->uuid);
    d->changes++;
    if (member != NULL)
        control_changed(d->means->control, member->record);
}

static void
forget_log(struct member *member)
{
    lastlog_drop(member->log);
    member->log = NULL;
}

static void
on_ended(void *arg, const struct record *record, enum bootlog_end end)
{
    struct domains *d = arg;
    struct member *member = members_find(&d->members, record->uuid);
    if (member == NULL)
        return;
    forget_log(member);
    member->log = lastlogs_take(d->means->lastlogs, record, end);
}

static void
on_goes_on(void *arg, const struct record *record)
{
    struct domains *d = arg;
    struct member *member = members_find(&d->members, record->uuid);
    if (member == NULL || member->log == NULL)
        return;
    lastlog_undo(member->log);
    forget_log(member);
}

static void
remove_member(struct domains *d, struct member *member)
{
    forget_log(member);
    members_remove(&d->members, member);
}

/* Its QEMU has ended, and RAM is there as long as we hold it. */
static void
take_last_log(struct domains *d, const struct record *record)
{
    if (record_published(record) != NULL && record->map != NULL)
        on_ended(d, record, record->died ? BOOTLOG_PANIC : BOOTLOG_STOPPED);
}

/* The run is over. Its metadata went with it; its file has to be removed. */
static void
forget_member(struct domains *d, struct member *member)
{
    d->changes++;
    take_last_log(d, member->record);
    epoch_set(member->record->epoch, STATEPAGE_OVER);
    control_gone(d->means->control, member->record);
    bool published = record_published(member->record) != NULL;
    const struct log_subject subject = {.kind = published ? LOG_KIND_LOST
                                                          : LOG_NO_KIND,
                                        .domain = member->record->name,
                                        .uuid = member->record->uuid,
                                        .state = "gone"};
    log_about(d->means->log, published ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
              &subject, "uuid=%s name=%s ended%s", member->record->uuid,
              LOG_QUOTE(member->record->name),
              published ? ", and its datum with it" : "");
    if (published)
        call_hooks(d, member->record, HOOKS_LOST);
    publisher_forget(d->means->publisher, member->record->uuid);
    remove_member(d, member);
}

/* A try found the run gone. That libvirt has not told may mean that another has
 * begun, of which it did. */
static void
on_over(void *arg, struct member *member)
{
    struct domains *d = arg;
    forget_member(d, member);
    watch_look_now(d->means->watch);
}

static int
create_record(struct domains *d, const struct event *event, struct record **ret,
              struct memctx_error *err)
{
    struct adapter_config config = {
        .ram = {.stub = d->means->stub, .seed = event->uuid},
        .fail_boots =
            d->means->stub ? (unsigned)d->means->settings->stub_fail_boots : 0,
        .look_us = d->means->settings->revalidate_ms * 1000,
        .limits = settings_backoff(d->means->settings),
    };
    struct adapter *adapter;
    const struct opener_target target = {d->means->watch, d->means->dirfd,
                                         event->uuid,     event->id,
                                         d->means->stub,  d->means->log};
    if (opener_configure(&target, &config.ram, err) < 0 ||
        adapter_create(&config, &d->means->adapters, &adapter, err) < 0)
        return -1;
    return record_create(event->uuid, event->name, event->id, adapter, &d->ops,
                         d->means->log, ret, err);
}

/* Does the key domains leave it out? */
static bool
is_left_out(const struct domains *d, const struct event *event)
{
    return !patterns_admit(&d->means->settings->domains, event->name,
                           event->uuid);
}

/* What an earlier agent wrote about it goes: it is true only as long as
 * somebody vouches for it. */
static void
disown(const struct domains *d, const struct event *event)
{
    const struct publisher_run run = {event->uuid, event->id, NULL};
    if (event->what == MEMCTX_EVENT_START ||
        event->what == MEMCTX_EVENT_START_PAUSED)
        publisher_set(d->means->publisher, &run, NULL, NULL);
}

static struct member *
add_member(struct domains *d, const struct event *event)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct record *record;
    if (create_record(d, event, &record, &err) < 0) {
        log_about(d->means->log, LOG_LEVEL_ERROR,
                  &ABOUT(LOG_KIND_UNWATCHED, event),
                  "uuid=%s cannot be watched: %s", event->uuid,
                  LOG_QUOTE(err.message));
        return NULL;
    }
    struct member *member = members_add(&d->members, record);
    d->changes++;
    if (member == NULL)
        log_about(
            d->means->log, LOG_LEVEL_ERROR, &ABOUT(LOG_KIND_UNWATCHED, event),
            "uuid=%s cannot be watched: the event loop is full", event->uuid);
    return member;
}

/* For another reason than what its guest did, which record/tell.h tells. */
static void
withdraw_for(struct domains *d, struct record *record, const char *why)
{
    if (record_published(record) != NULL)
        log_about(d->means->log, LOG_LEVEL_INFO, &ABOUT(LOG_KIND_LOST, record),
                  "uuid=%s name=%s datum withdrawn: %s", record->uuid,
                  LOG_QUOTE(record->name), why);
    hold_withdraw(record);
}

/* A record that goes on where another one is, with RAM that was handed in. */
static int
create_attached(struct domains *d, const struct record *old,
                struct handed *handed, struct record **ret,
                struct memctx_error *err)
{
    const struct adapter_config config = {
        .ram = {.handed = handed},
        .look_us = d->means->settings->revalidate_ms * 1000,
        .limits = settings_backoff(d->means->settings),
    };
    struct adapter *adapter;
    if (adapter_create(&config, &d->means->adapters, &adapter, err) < 0 ||
        record_create(old->uuid, old->name, old->id, adapter, &d->ops,
                      d->means->log, ret, err) < 0)
        return -1;
    (*ret)->connection = old->connection;
    (*ret)->boot = old->boot;
    (*ret)->run.generation = old->run.generation;
    return 0;
}

static void
destroy_handed(void *handed)
{
    handed_destroy(handed);
}

/* Whatever was known of the domain came from other RAM: it is withdrawn. */
int
domains_attach(void *arg, struct record *old, struct handed *handed,
               struct record **ret, struct memctx_error *err)
{
    struct domains *d = arg;
    struct record *record;
    bool paused = record_is_paused(old);
    if (d->ending || old->phase == MEMCTX_PHASE_AWAY) {
        disposer_take(d->means->adapters.disposer, destroy_handed, handed);
        return memctx_error_set(err, MEMCTX_RETRY, "libvirt is away");
    }
    if (create_attached(d, old, handed, &record, err) < 0)
        return -1;
    log_about(d->means->log, LOG_LEVEL_INFO, &ABOUT(LOG_KIND_HANDED_IN, old),
              "uuid=%s name=%s RAM was handed in", old->uuid,
              LOG_QUOTE(old->name));
    withdraw_for(d, old, "it came from other RAM");
    remove_member(d, members_find(&d->members, old->uuid));
    if (members_add(&d->members, record) == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED,
                                "the event loop is full");
    record_handle(
        record, paused ? MEMCTX_EVENT_START_PAUSED : MEMCTX_EVENT_START, false);
    *ret = record;
    return 0;
}

/* Of a run before the one that we know: a list of domains may be older than an
 * event that overtook it. libvirt counts ids up, but from the beginning when
 * it was restarted. */
static bool
is_late(const struct domains *d, const struct record *record,
        const struct event *event)
{
    return event->id >= 0 && event->id < record->id &&
           record->connection == d->connections;
}

/* STOPPED comes with the id -1 from some drivers, so only a start can tell
 * that a run was replaced by another while we were not told. */
static bool
is_other_run(const struct record *record, const struct event *event)
{
    return event->id >= 0 && event->id != record->id;
}

/* What could never work was so for a QEMU that may have been replaced while
 * libvirt was away, under the same id. */
static bool
is_worth_another_look(const struct domains *d, const struct record *record)
{
    return record_state(record) == MEMCTX_STATE_UNSUPPORTED &&
           record->connection != d->connections;
}

void
domains_handle(struct domains *d, const struct event *event)
{
    struct member *member = members_find(&d->members, event->uuid);
    if (member != NULL && is_late(d, member->record, event))
        return;
    if (event->what == MEMCTX_EVENT_STOP) {
        /* A stop of an earlier run that comes late is not this run's. */
        if (member != NULL && !is_other_run(member->record, event))
            forget_member(d, member);
        else if (leftout_remove(&d->leftout, event->uuid))
            publisher_forget(d->means->publisher, event->uuid);
        return;
    }
    if (member != NULL && (is_other_run(member->record, event) ||
                           is_worth_another_look(d, member->record))) {
        forget_member(d, member);
        member = NULL;
    }
    if (d->ending)
        return;
    if (member == NULL && is_left_out(d, event)) {
        disown(d, event);
        leftout_add(&d->leftout, event->uuid);
        return;
    }
    leftout_remove(&d->leftout, event->uuid);
    if (member == NULL)
        member = add_member(d, event);
    if (member == NULL)
        return;
    member->record->connection = d->connections;
    if (record_handle(member->record, event->what, event->cold))
        forget_member(d, member);
}

/* Until its RAM was opened a domain's metadata are those of an earlier agent,
 * which are taken over then, or of nobody. */
static bool
is_known(const struct record *record)
{
    return record->has_datum || record->joined ||
           record_state(record) == MEMCTX_STATE_UNSUPPORTED;
}

enum domains_checks
domains_check(struct domains *d, const char *uuid)
{
    const struct member *member = members_find(&d->members, uuid);
    if (member == NULL || d->ending)
        return DOMAINS_LEAVES;
    const struct record *r = member->record;
    const struct publisher_run run = {r->uuid, r->id, &r->run};
    if (!is_known(r) || publisher_check(d->means->publisher, &run,
                                        record_published(r), NULL) < 0)
        return DOMAINS_CHECKS_LATER;
    return DOMAINS_CHECKS;
}

void
domains_mark_repaired(struct domains *d, const char *uuid)
{
    const struct member *member = members_find(&d->members, uuid);
    if (member == NULL)
        return;
    member->record->repairs++;
    d->changes++;
}

void
domains_mark_fought(struct domains *d, const char *uuid, bool fought)
{
    const struct member *member = members_find(&d->members, uuid);
    if (member == NULL)
        return;
    member->record->fought = fought;
    control_changed(d->means->control, member->record);
}

void
domains_write_again(struct domains *d)
{
    for (struct member *m = d->members.first; m != NULL; m = m->next) {
        const struct record *r = m->record;
        if (is_known(r))
            write_datum(d, r, record_published(r));
    }
}

void
domains_tell_late(struct domains *d, uint64_t now_ms)
{
    for (struct member *m = d->members.first; m != NULL; m = m->next)
        tell_late(m->record, now_ms);
}

/* It runs on, and is no longer ours. Its count in runs/ stays. */
static void
leave_out(struct domains *d, struct member *member)
{
    d->changes++;
    struct record *record = member->record;
    const struct publisher_run run = {record->uuid, record->id, NULL};
    log_about(d->means->log, LOG_LEVEL_INFO, &ABOUT(LOG_KIND_LEFT_OUT, record),
              "uuid=%s name=%s is left out by the key domains from now on",
              record->uuid, LOG_QUOTE(record->name));
    adapter_drop(record->adapter);
    if (record->has_datum)
        withdraw_for(d, record, "the domain is left out");
    else
        publisher_set(d->means->publisher, &run, NULL, NULL);
    epoch_set(record->epoch, STATEPAGE_OVER);
    control_gone(d->means->control, record);
    leftout_add(&d->leftout, record->uuid);
    remove_member(d, member);
}

void
domains_reload(struct domains *d)
{
    const struct settings *s = d->means->settings;
    const struct memctx_backoff_limits limits = settings_backoff(s);
    struct member *next;
    for (struct member *m = d->members.first; m != NULL; m = next) {
        next = m->next;
        if (!patterns_admit(&s->domains, m->record->name, m->record->uuid))
            leave_out(d, m);
        else
            adapter_pace(m->record->adapter, &limits, s->revalidate_ms * 1000);
    }
    watch_look_now(d->means->watch);
}

static bool
is_member(const char *uuid, void *arg)
{
    const struct domains *d = arg;
    return members_find(&d->members, uuid) != NULL ||
           leftout_has(&d->leftout, uuid);
}

/* What this connection has not spoken of, neither by an event nor in its list,
 * ended while libvirt was away, or before this agent was there. */
void
domains_listed(struct domains *d)
{
    d->is_complete = true;
    d->changes++;
    statefile_forget_others(d->means->dirfd, is_member, d);
    struct member *next;
    for (struct member *m = d->members.first; m != NULL; m = next) {
        next = m->next;
        if (m->record->connection != d->connections)
            forget_member(d, m);
    }
}

void
domains_lost(struct domains *d)
{
    d->is_complete = false;
    d->changes++;
    for (struct member *m = d->members.first; m != NULL; m = m->next)
        record_handle(m->record, MEMCTX_EVENT_AWAY, false);
}

void
domains_vouch(struct domains *d)
{
    publisher_release(d->means->publisher);
    if (!d->members.listening)
        members_listen(&d->members);
}

/* Those that are left out are listed anew; who ended meanwhile is not. */
void
domains_connected(struct domains *d)
{
    leftout_deinit(&d->leftout);
    d->connections++;
}

void
domains_withdraw(struct domains *d)
{
    d->ending = true;
    for (struct member *m = d->members.first; m != NULL; m = m->next) {
        adapter_drop(m->record->adapter);
        withdraw_for(d, m->record, "memctxd stops");
    }
}

void
domains_init(struct domains *d, const struct domains_means *means)
{
    *d = (struct domains){
        .means = means,
        .members = {.over = on_over, .arg = d},
        .ops = {on_publish, on_withdraw, on_remember, on_changed, on_ended,
                on_goes_on, d},
    };
}

void
domains_deinit(struct domains *d)
{
    while (d->members.first != NULL)
        remove_member(d, d->members.first);
    leftout_deinit(&d->leftout);
}
