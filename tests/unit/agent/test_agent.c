/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The whole agent in this process, on libvirt's test driver and stub RAM: that
 * driver's domains live in one process, so a connection of our own makes them
 * start and stop. Every datum is validated against the schema. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "datum/datum.h"
#include "stubagent.h"
#include "testdir.h"

#define MANY 200
#define TURNS_MAX 200000

struct fixture {
    char dir[64];
    struct settings settings;
    struct log log;
    struct agent *agent;
    virConnectPtr connection;
};

static void
start_agent_with(struct fixture *f, bool stub)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    assert_done(
        agent_create(&f->settings, f->dir, stub, &f->log, &f->agent, &err),
        &err);
}

static void
start_agent(struct fixture *f)
{
    start_agent_with(f, true);
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    testdir_make(f->dir);
    stubagent_settings(&f->settings, f->dir);
    strcpy(f->settings.runtime_dir, f->dir);
    f->log = (struct log){.level = LOG_LEVEL_ERROR};
    f->connection = virConnectOpen("test:///default");
    assert_non_null(f->connection);
    start_agent(f);
    *state = f;
    return 0;
}

static void
stop_agent(struct fixture *f)
{
    agent_stop(f->agent);
    while (agent_turn(f->agent))
        ;
    agent_destroy(f->agent);
    f->agent = NULL;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->agent != NULL)
        stop_agent(f);
    virConnectClose(f->connection);
    testdir_remove(f->dir);
    free(f);
    return 0;
}

static virDomainPtr
start_domain(struct fixture *f, const char *name)
{
    char xml[256];
    snprintf(xml, sizeof(xml),
             "<domain type='test'><name>%s</name><memory>8192</memory>"
             "<os><type arch='x86_64'>hvm</type></os></domain>",
             name);
    virDomainPtr domain = virDomainCreateXML(f->connection, xml, 0);
    assert_non_null(domain);
    return domain;
}

/* The schema that is installed with the project. */
static void
assert_valid(const char *text)
{
    const char *srcdir = getenv("MEMCTX_SRCDIR");
    char path[512];
    snprintf(path, sizeof(path), "%s/src/memctx.rng",
             srcdir != NULL ? srcdir : ".");
    xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    assert_non_null(schema);
    xmlRelaxNGValidCtxt *validator = xmlRelaxNGNewValidCtxt(schema);
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, 0);
    assert_non_null(doc);
    assert_int_equal(xmlRelaxNGValidateDoc(validator, doc), 0);
    xmlFreeDoc(doc);
    xmlRelaxNGFreeValidCtxt(validator);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
}

/* The domain's datum, NULL when it has none. */
static char *
metadata_of(virDomainPtr domain)
{
    return virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, MEMCTX_URI,
                                VIR_DOMAIN_AFFECT_LIVE);
}

/* Turn the loop until the domain's datum is there, or is not. Each turn waits
 * for something to happen; the timeout of the fixture keeps it turning. */
static char *
turn_until(struct fixture *f, virDomainPtr domain, bool there)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        char *text = metadata_of(domain);
        if ((text != NULL) == there)
            return text;
        free(text);
        agent_turn(f->agent);
    }
    fail_msg("the datum of %s %s", virDomainGetName(domain),
             there ? "does not come" : "does not go");
    return NULL;
}

static unsigned
count_files(struct fixture *f)
{
    char path[128];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/domains", f->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        count += strstr(entry->d_name, ".xml") != NULL;
    closedir(dir);
    return count;
}

static bool
has_file(struct fixture *f, virDomainPtr domain)
{
    char path[160];
    char uuid[VIR_UUID_STRING_BUFLEN];
    assert_int_equal(virDomainGetUUIDString(domain, uuid), 0);
    snprintf(path, sizeof(path), "%s/domains/%s.xml", f->dir, uuid);
    return access(path, F_OK) == 0;
}

/* Until the domain, which may have ended, has a file with its datum, or has
 * none. */
static void
turn_until_file(struct fixture *f, virDomainPtr domain, bool there)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        if (has_file(f, domain) == there)
            return;
        agent_turn(f->agent);
    }
    fail_msg("the file of %s %s", virDomainGetName(domain),
             there ? "does not come" : "does not go");
}

static void
test_domain_that_runs_already_gets_a_datum(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = virDomainLookupByName(f->connection, "test");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = turn_until(f, domain, true);
    assert_valid(text);
    virDomainFree(domain);
}

static void
test_start_and_destroy(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "started");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = turn_until(f, domain, true);
    assert_valid(text);
    assert_non_null(strstr(text, "generation=\"1\""));
    assert_null(strstr(text, "0xffffffff")); /* no virtual address */
    turn_until_file(f, domain, true);
    virDomainDestroy(domain);
    turn_until_file(f, domain, false);
    virDomainFree(domain);
}

static void
test_suspend_and_resume_keep_the_datum(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "paused");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *before = turn_until(f, domain, true);
    virDomainSuspend(domain);
    virDomainResume(domain);
    for (unsigned i = 0; i < 50; i++)
        agent_turn(f->agent);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *after = metadata_of(domain);
    assert_string_equal(before, after);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_pause_before_the_first_try_ends_well(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "quick");
    virDomainSuspend(domain);
    virDomainResume(domain);
    virDomainSuspend(domain);
    virDomainResume(domain);
    free(turn_until(f, domain, true));
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_stop_withdraws_everything(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "left");
    free(turn_until(f, domain, true));
    stop_agent(f);
    char *text = metadata_of(domain);
    assert_null(text);
    assert_int_equal(count_files(f), 0);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

/* As after SIGKILL: the metadata are still there when an agent starts. */
static void
test_datum_found_right_is_kept_to_the_byte(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "kept");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *text = turn_until(f, domain, true);
    stop_agent(f);
    /* An older stamp, which a new datum would not have. */
    char *stamp = strstr(text, "published=\"");
    assert_non_null(stamp);
    memcpy(stamp, "published=\"2001", 15);
    assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                          text, MEMCTX_KEY, MEMCTX_URI,
                                          VIR_DOMAIN_AFFECT_LIVE),
                     0);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *before = metadata_of(domain);
    start_agent(f);
    turn_until_file(f, domain, true);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *after = metadata_of(domain);
    assert_string_equal(before, after);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static const char wrong[] =
    "<memctx generation=\"4294967295\"><kcr3>0x1000</kcr3>"
    "<low>0x4000000</low>"
    "<paging>x86_64-4level</paging><guest os=\"linux\" version=\"1\"/>"
    "<ram size=\"0x4000000\"><extent gpa=\"0x0\" size=\"0x4000000\" "
    "backend=\"stub\" offset=\"0x0\"/></ram>"
    "<evidence found=\"x\" checks=\"y\"/></memctx>";

/* Of a QEMU that no agent has counted in. */
static void
test_datum_of_nobody_is_replaced(void **state)
{
    struct fixture *f = *state;
    stop_agent(f);
    virDomainPtr domain = start_domain(f, "replaced");
    assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                          wrong, MEMCTX_KEY, MEMCTX_URI,
                                          VIR_DOMAIN_AFFECT_LIVE),
                     0);
    start_agent(f);
    turn_until_file(f, domain, true);
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
        if (text != NULL && strstr(text, "generation=\"1\"") != NULL)
            break;
        agent_turn(f->agent);
    }
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
    assert_non_null(text);
    assert_non_null(strstr(text, "generation=\"1\""));
    assert_null(strstr(text, "<kcr3>0x1000<"));
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_second_agent_in_one_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct agent *second;
    assert_int_equal(
        agent_create(&f->settings, f->dir, true, &f->log, &second, &err), -1);
    assert_error(&err, MEMCTX_PERMANENT, "another memctxd");
}

static void
remove_directory(struct fixture *f)
{
    assert_int_equal(testdir_remove(f->dir), 0);
}

static bool
is_socket(const struct fixture *f, const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* What readers, libvirt's hooks and the next agent look for. */
static void
test_directory_that_is_removed_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    virDomainPtr domain = start_domain(f, "steady");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *before = turn_until(f, domain, true);
    turn_until_file(f, domain, true);
    for (unsigned i = 0; i < 2; i++) {
        remove_directory(f);
        turn_until_file(f, domain, true);
        while (!is_socket(f, "control.sock") || !is_socket(f, "hint.sock"))
            agent_turn(f->agent);
        assert_int_equal(stat(f->dir, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
    }
    MEMCTX_CLEANUP(memctx_cleanup_free) char *after = metadata_of(domain);
    assert_string_equal(before, after);
    /* It is the agent's as before. */
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct agent *second;
    assert_int_equal(
        agent_create(&f->settings, f->dir, true, &f->log, &second, &err), -1);
    virDomainDestroy(domain);
    turn_until_file(f, domain, false);
    virDomainFree(domain);
}

static void
test_socket_that_is_removed_is_bound_again(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/control.sock", f->dir);
    assert_int_equal(unlink(path), 0);
    for (unsigned i = 0; !is_socket(f, "control.sock"); i++) {
        assert_true(i < TURNS_MAX);
        agent_turn(f->agent);
    }
}

static void
test_directory_that_another_agent_took_ends_this_one(void **state)
{
    struct fixture *f = *state;
    char path[128];
    f->log.level = LOG_LEVELS; /* it says so */
    snprintf(path, sizeof(path), "%s/domains", f->dir);
    remove_directory(f);
    assert_int_equal(mkdir(f->dir, 0755), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    while (agent_turn(f->agent))
        ;
    assert_true(agent_was_evicted(f->agent));
    agent_destroy(f->agent);
    f->agent = NULL;
    close(fd);
}

/* Start, pause, resume, restart and destroy in an order from a fixed seed, with
 * turns of the loop between; at the end each running domain has its datum. */
static void
test_events_in_any_order(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domains[20];
    unsigned seed = 20261122;
    for (unsigned i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "any%u", i);
        domains[i] = start_domain(f, name);
    }
    for (unsigned i = 0; i < 400; i++) {
        virDomainPtr *domain = &domains[rand_r(&seed) % 20];
        char name[16];
        snprintf(name, sizeof(name), "%s", virDomainGetName(*domain));
        switch (rand_r(&seed) % 5) {
        case 0:
            virDomainSuspend(*domain);
            break;
        case 1:
        case 2:
            virDomainResume(*domain);
            break;
        case 3:
            virDomainDestroy(*domain);
            virDomainFree(*domain);
            *domain = start_domain(f, name);
            break;
        default:
            agent_turn(f->agent);
        }
    }
    for (unsigned i = 0; i < 20; i++) {
        virDomainResume(domains[i]);
        MEMCTX_CLEANUP(memctx_cleanup_free)
        char *text = turn_until(f, domains[i], true);
        assert_valid(text);
        turn_until_file(f, domains[i], true);
        virDomainDestroy(domains[i]);
        turn_until_file(f, domains[i], false);
        virDomainFree(domains[i]);
    }
}

static void
test_two_hundred_domains(void **state)
{
    struct fixture *f = *state;
    static const char first_failures[] = "attempts=\"4\"";
    virDomainPtr domains[MANY];
    stop_agent(f);
    f->settings.stub_fail_boots = 3;
    start_agent(f);
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "many%u", i);
        domains[i] = start_domain(f, name);
    }
    for (unsigned i = 0; i < MANY; i++) {
        MEMCTX_CLEANUP(memctx_cleanup_free)
        char *text = turn_until(f, domains[i], true);
        assert_valid(text);
        assert_non_null(strstr(text, first_failures));
    }
    for (unsigned i = 0; i < MANY; i++) {
        turn_until_file(f, domains[i], true);
        virDomainDestroy(domains[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        turn_until_file(f, domains[i], false);
        virDomainFree(domains[i]);
    }
}

/* The test driver knows no reset: the event comes from here. */
static void
push_reset(struct fixture *f, virDomainPtr domain)
{
    struct event *event = event_create(EVENT_DOMAIN);
    assert_non_null(event);
    assert_int_equal(virDomainGetUUIDString(domain, event->uuid), 0);
    event->name = strdup(virDomainGetName(domain));
    event->id = (int)virDomainGetID(domain);
    event->what = MEMCTX_EVENT_RESET;
    event_push(agent_queue(f->agent), event);
}

/* Until the datum has these words in it. */
static void
turn_until_words(struct fixture *f, virDomainPtr domain, const char *words)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
        if (text != NULL && strstr(text, words) != NULL) {
            assert_valid(text);
            return;
        }
        agent_turn(f->agent);
    }
    fail_msg("the datum never has %s", words);
}

/* As copied with the XML of a domain that ran: no reader may see it for long,
 * and the first kernel is the first. */
static void
test_datum_of_a_definition_counts_for_nothing(void **state)
{
    struct fixture *f = *state;
    char xml[1024];
    snprintf(xml, sizeof(xml),
             "<domain type='test'><name>defined</name><memory>8192</memory>"
             "<os><type arch='x86_64'>hvm</type></os><metadata>"
             "<memctx xmlns='" MEMCTX_URI "' %s</metadata></domain>",
             strchr(wrong, ' '));
    virDomainPtr domain = virDomainDefineXML(f->connection, xml);
    assert_non_null(domain);
    assert_int_equal(virDomainCreate(domain), 0);
    turn_until_words(f, domain, "generation=\"1\"");
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
    assert_null(strstr(text, "<kcr3>0x1000<"));
    push_reset(f, domain);
    turn_until_words(f, domain, "generation=\"2\"");
    virDomainDestroy(domain);
    virDomainUndefine(domain);
    virDomainFree(domain);
}

/* Read the configuration again. */
static void
reload(struct fixture *f, const char *text)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct settings fresh;
    char fixed[256];
    settings_init(&fresh);
    assert_done(settings_parse(text, "f", &fresh, &err), &err);
    settings_reload(&f->settings, &fresh, fixed, sizeof(fixed));
    agent_reload(f->agent);
}

/* How many logs are kept; of them one of this generation? */
static unsigned
count_logs(const struct fixture *f, unsigned generation, bool *has)
{
    char path[96];
    char end[24];
    unsigned n = 0;
    snprintf(path, sizeof(path), "%s/boots", f->dir);
    snprintf(end, sizeof(end), ".%u.log", generation);
    MEMCTX_CLEANUP(memctx_cleanup_dir) DIR *dir = opendir(path);
    struct dirent *entry;
    *has = false;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        n += entry->d_name[0] != '.';
        *has = *has || strstr(entry->d_name, end) != NULL;
    }
    return n;
}

static bool
are_logs(const struct fixture *f, unsigned n, unsigned generation)
{
    bool has;
    return count_logs(f, generation, &has) == n && has;
}

static void
reset_often(struct fixture *f, virDomainPtr domain, unsigned from, unsigned to)
{
    char words[24];
    for (unsigned i = from; i < to; i++) {
        push_reset(f, domain);
        snprintf(words, sizeof(words), "generation=\"%u\"", i + 1);
        turn_until_words(f, domain, words);
    }
}

#define RESETS 30u

/* A stub has no log, which its file says. */
static void
test_logs_of_kernels_that_ended_are_bounded(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "ends");
    bool has;
    turn_until_words(f, domain, "generation=\"1\"");
    reset_often(f, domain, 1, 4);
    assert_int_equal(count_logs(f, 1, &has), 0);
    reload(f, "keep_logs = 3\nretry_first_ms = 1\nretry_cap_ms = 5\n");
    reset_often(f, domain, 4, RESETS);
    wait_until(are_logs(f, 3, RESETS - 1));
    virDomainDestroy(domain);
    virDomainFree(domain);
    for (unsigned i = 0; i < TURNS_MAX && !are_logs(f, 3, RESETS); i++)
        agent_turn(f->agent);
    assert_true(are_logs(f, 3, RESETS));
    reload(f, "retry_first_ms = 1\nretry_cap_ms = 5\n");
    domain = start_domain(f, "ends no more");
    turn_until_words(f, domain, "generation=\"1\"");
    reset_often(f, domain, 1, 3);
    assert_int_equal(count_logs(f, RESETS, &has), 3);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_reload_leaves_out_and_takes_in(void **state)
{
    struct fixture *f = *state;
    virDomainPtr one = start_domain(f, "one");
    virDomainPtr two = start_domain(f, "two");
    turn_until_words(f, two, "generation=\"1\"");
    push_reset(f, two);
    turn_until_words(f, two, "generation=\"2\"");
    MEMCTX_CLEANUP(memctx_cleanup_free) char *before = turn_until(f, one, true);
    turn_until_file(f, one, true);
    turn_until_file(f, two, true);
    reload(f, "domains = [ \"!two\" ]\n");
    turn_until(f, two, false);
    turn_until_file(f, two, false);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *after = metadata_of(one);
    assert_string_equal(before, after);
    assert_true(has_file(f, one));
    /* The list of domains that it looks at meanwhile forgets no count. */
    virDomainPtr three = start_domain(f, "three");
    free(turn_until(f, three, true));
    reload(f, "");
    turn_until_words(f, two, "generation=\"2\"");
    virDomainPtr all[] = {one, two, three};
    for (unsigned i = 0; i < 3; i++) {
        virDomainDestroy(all[i]);
        turn_until_file(f, all[i], false);
        virDomainFree(all[i]);
    }
}

static void
test_stub_boots_again_after_resets(void **state)
{
    struct fixture *f = *state;
    stop_agent(f);
    f->settings.stub_fail_boots = 2;
    start_agent(f);
    virDomainPtr domain = start_domain(f, "reset");
    turn_until_words(f, domain, "generation=\"1\"");
    for (unsigned generation = 2; generation < 6; generation++) {
        char words[32];
        push_reset(f, domain);
        push_reset(f, domain); /* libvirt sends two */
        snprintf(words, sizeof(words), "generation=\"%u\"", generation);
        turn_until_words(f, domain, words);
        /* Two boots failed, the third did not. */
        turn_until_words(f, domain, "attempts=\"3\"");
    }
    virDomainDestroy(domain);
    virDomainFree(domain);
}

/* Ended after it had withdrawn: nothing but runs/ tells what was counted, and
 * that the kernel is still the same. */
static void
test_generation_continues_without_a_datum(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "counted");
    turn_until_words(f, domain, "generation=\"1\"");
    /* The next kernel may be found before a writer comes to withdraw this. */
    push_reset(f, domain);
    turn_until_words(f, domain, "generation=\"2\"");
    stop_agent(f);
    char *text = metadata_of(domain);
    assert_null(text);
    start_agent(f);
    turn_until_words(f, domain, "generation=\"2\"");
    push_reset(f, domain);
    turn_until_words(f, domain, "generation=\"3\"");
    virDomainDestroy(domain);
    virDomainFree(domain);
}

/* A list that was made before the domain was started again. */
static void
test_late_news_of_an_earlier_run(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "again");
    turn_until_words(f, domain, "generation=\"1\"");
    turn_until_file(f, domain, true);
    struct event *event = event_create(EVENT_DOMAIN);
    assert_int_equal(virDomainGetUUIDString(domain, event->uuid), 0);
    event->name = strdup("again");
    event->id = (int)virDomainGetID(domain) - 1;
    event->what = MEMCTX_EVENT_START;
    event_push(agent_queue(f->agent), event);
    for (unsigned i = 0; i < 200; i++)
        agent_turn(f->agent);
    assert_true(has_file(f, domain));
    virDomainDestroy(domain);
    turn_until_file(f, domain, false);
    virDomainFree(domain);
}

static void
test_ready_stub_is_looked_at_without_a_write(void **state)
{
    struct fixture *f = *state;
    stop_agent(f);
    f->settings.revalidate_ms = 1;
    start_agent(f);
    virDomainPtr domain = start_domain(f, "looked");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *before = turn_until(f, domain, true);
    for (unsigned i = 0; i < 200; i++)
        agent_turn(f->agent);
    MEMCTX_CLEANUP(memctx_cleanup_free) char *after = metadata_of(domain);
    assert_non_null(after);
    assert_string_equal(before, after);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

/* What the hook has written so far. */
static const char *
read_told(const struct fixture *f, char text[256])
{
    char path[100];
    snprintf(path, sizeof(path), "%s/told", f->dir);
    FILE *file = fopen(path, "r");
    text[file != NULL ? fread(text, 1, 255, file) : 0] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

static void
test_hooks_are_told_in_order(void **state)
{
    struct fixture *f = *state;
    char path[300];
    char text[256];
    stop_agent(f);
    snprintf(f->settings.hooks_dir, sizeof(f->settings.hooks_dir), "%s/hooks.d",
             f->dir);
    assert_int_equal(mkdir(f->settings.hooks_dir, 0755), 0);
    snprintf(path, sizeof(path), "%s/tell", f->settings.hooks_dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n[ $1 = told ] && echo $2 $3 >> %s/told\n",
            f->dir);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
    start_agent(f);
    virDomainPtr domain = start_domain(f, "told");
    turn_until_words(f, domain, "generation=\"1\"");
    push_reset(f, domain);
    turn_until_words(f, domain, "generation=\"2\"");
    virDomainDestroy(domain);
    /* The end of the agent waits for hooks, but not for ever. */
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        if (strstr(read_told(f, text), "lost 2") != NULL)
            break;
        agent_turn(f->agent);
    }
    stop_agent(f);
    assert_string_equal(read_told(f, text),
                        "ready 1\nlost 1\nready 2\nlost 2\n");
    virDomainFree(domain);
}

static void
forge(virDomainPtr domain, const char *text)
{
    assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                          text, MEMCTX_KEY, MEMCTX_URI,
                                          VIR_DOMAIN_AFFECT_LIVE),
                     0);
}

static void
turn_until_is(struct fixture *f, virDomainPtr domain, const char *wanted)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
        if (text != NULL && strcmp(text, wanted) == 0)
            return;
        agent_turn(f->agent);
    }
    fail_msg("what somebody else wrote stays");
}

static void
test_what_others_change_is_put_right(void **state)
{
    struct fixture *f = *state;
    virDomainPtr domain = start_domain(f, "guarded");
    MEMCTX_CLEANUP(memctx_cleanup_free)
    char *before = turn_until(f, domain, true);
    turn_until_file(f, domain, true);
    forge(domain, wrong);
    turn_until_is(f, domain, before);
    forge(domain, NULL);
    turn_until_is(f, domain, before);
    virDomainSuspend(domain);
    forge(domain, wrong);
    turn_until_is(f, domain, before);
    /* While it is doubtful whether the datum still holds. */
    virDomainResume(domain);
    forge(domain, wrong);
    turn_until_is(f, domain, before);
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_forged_datum_of_an_unsupported_domain_goes(void **state)
{
    struct fixture *f = *state;
    stop_agent(f);
    /* A domain of the test driver has no QEMU. */
    start_agent_with(f, false);
    virDomainPtr domain = start_domain(f, "unsupported");
    for (unsigned i = 0; i < 2; i++) {
        forge(domain, wrong);
        free(turn_until(f, domain, false));
    }
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_forged_datum_of_a_domain_that_waits_goes(void **state)
{
    struct fixture *f = *state;
    stop_agent(f);
    f->settings.stub_fail_boots = 1000000;
    start_agent(f);
    virDomainPtr domain = start_domain(f, "waits");
    forge(domain, wrong);
    free(turn_until(f, domain, false));
    forge(domain, wrong);
    free(turn_until(f, domain, false));
    virDomainDestroy(domain);
    virDomainFree(domain);
}

static void
test_domain_that_is_left_out_is_left_alone(void **state)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct fixture *f = *state;
    stop_agent(f);
    assert_done(
        settings_parse("domains = [ \"!left\" ]", "text", &f->settings, &err),
        &err);
    start_agent(f);
    virDomainPtr watched = start_domain(f, "watched");
    free(turn_until(f, watched, true));
    virDomainPtr domain = start_domain(f, "left");
    for (unsigned i = 0; i < 50; i++)
        agent_turn(f->agent);
    forge(domain, wrong);
    /* The agent has heard of that before it has of this. */
    forge(watched, NULL);
    free(turn_until(f, watched, true));
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = metadata_of(domain);
    assert_non_null(text);
    virDomainDestroy(domain);
    virDomainFree(domain);
    virDomainDestroy(watched);
    virDomainFree(watched);
}

int
main(void)
{
    stubagent_prepare_loop(5);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_domain_that_runs_already_gets_a_datum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start_and_destroy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_suspend_and_resume_keep_the_datum,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_pause_before_the_first_try_ends_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_withdraws_everything, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_datum_found_right_is_kept_to_the_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_datum_of_a_definition_counts_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_others_change_is_put_right,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_forged_datum_of_a_domain_that_waits_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_forged_datum_of_an_unsupported_domain_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_domain_that_is_left_out_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_datum_of_nobody_is_replaced,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_second_agent_in_one_directory_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stub_boots_again_after_resets,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_generation_continues_without_a_datum, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late_news_of_an_earlier_run,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_ready_stub_is_looked_at_without_a_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hooks_are_told_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_directory_that_is_removed_is_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_socket_that_is_removed_is_bound_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_directory_that_another_agent_took_ends_this_one, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            test_logs_of_kernels_that_ended_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload_leaves_out_and_takes_in,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_in_any_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_two_hundred_domains, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
