/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx list: the domains that the agent knows, once or again and again. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "domain/domain.h"
#include "memctx/connect.h"
#include "memctx/domainline.h"
#include "memctx/print.h"
#include "text/jsonguard.h"

#define WATCH_MS 1000

struct list_options {
    const char *states;
    const char *sort;
    bool watch;
    bool json;
};

static const struct option_row option_table[] = {
    {"state", 0, OPTION_TEXT, "LIST", offsetof(struct list_options, states),
     "only domains in these states, with commas between them"},
    {"sort", 0, OPTION_TEXT, "KEY", offsetof(struct list_options, sort),
     "sort by id (if not said), name, state or still"},
    {"watch", 0, OPTION_FLAG, NULL, offsetof(struct list_options, watch),
     "show the list anew each second (terminal)"},
    COMMAND_OPTION_JSON(struct list_options),
    OPTIONS_END,
};

/* ---- order -------------------------------------------------------------- */

typedef int compare_fn(const void *a, const void *b);

static int
compare_numbers(const void *a, const void *b, const char *key)
{
    json_object *x = *(json_object *const *)a;
    json_object *y = *(json_object *const *)b;
    int64_t p = json_object_get_int64(json_object_object_get(x, key));
    int64_t q = json_object_get_int64(json_object_object_get(y, key));
    return (p > q) - (p < q);
}

static int
compare_texts(const void *a, const void *b, const char *key)
{
    json_object *x = *(json_object *const *)a;
    json_object *y = *(json_object *const *)b;
    const char *p = json_object_get_string(json_object_object_get(x, key));
    const char *q = json_object_get_string(json_object_object_get(y, key));
    return strcmp(p != NULL ? p : "", q != NULL ? q : "");
}

static int
by_id(const void *a, const void *b)
{
    return compare_numbers(a, b, "id");
}

static int
by_name(const void *a, const void *b)
{
    return compare_texts(a, b, "name");
}

static int
by_state(const void *a, const void *b)
{
    int order = compare_texts(a, b, "state");
    return order != 0 ? order : by_name(a, b);
}

/* Those that have stood for longest come first: who sorts by that looks for
 * them. */
static int
by_still(const void *a, const void *b)
{
    int order = compare_numbers(b, a, "still");
    return order != 0 ? order : by_name(a, b);
}

static const struct {
    const char *name;
    compare_fn *compare;
} orders[] = {
    {"id", by_id},
    {"name", by_name},
    {"state", by_state},
    {"still", by_still},
};

/* ---- what is wanted ----------------------------------------------------- */

struct view {
    bool states[MEMCTX_STATES]; /* are shown */
    compare_fn *compare;
};

static enum memctx_state
find_state(const char *name, size_t len)
{
    enum memctx_state state = 0;
    while (state < MEMCTX_STATES &&
           (strncmp(memctx_state_name(state), name, len) != 0 ||
            memctx_state_name(state)[len] != '\0'))
        state++;
    return state;
}

/* `list` NULL: all. */
static int
choose_states(const char *list, struct view *view, struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_STATES; i++)
        view->states[i] = list == NULL;
    while (list != NULL) {
        size_t len = strcspn(list, ",");
        enum memctx_state state = find_state(list, len);
        if (state == MEMCTX_STATES)
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "there is no state '%.*s'; there are: "
                                    "waiting, ready, stale, silent, "
                                    "unsupported, unknown",
                                    (int)len, list);
        view->states[state] = true;
        list = list[len] == ',' ? list + len + 1 : NULL;
    }
    return 0;
}

static int
choose_order(const char *key, struct view *view, struct memctx_error *err)
{
    view->compare = key == NULL ? by_id : NULL;
    for (size_t i = 0; key != NULL && i < MEMCTX_ARRAY_LEN(orders); i++) {
        if (strcmp(orders[i].name, key) == 0)
            view->compare = orders[i].compare;
    }
    if (view->compare == NULL)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "--sort takes id, name, state or still, "
                                "found '%s'",
                                key);
    return 0;
}

/* A state that this memctx does not know (of a newer agent) is shown to who
 * wants all. */
static bool
is_wanted(const struct view *view, json_object *domain)
{
    const char *name =
        json_object_get_string(json_object_object_get(domain, "state"));
    enum memctx_state state =
        name != NULL ? find_state(name, strlen(name)) : MEMCTX_STATES;
    for (size_t i = 0; state == MEMCTX_STATES && i < MEMCTX_STATES; i++) {
        if (!view->states[i])
            return false;
    }
    return state == MEMCTX_STATES || view->states[state];
}

/* ---- showing ------------------------------------------------------------ */

struct listing {
    json_object *domains; /* that are wanted, in their order; owned */
    size_t n_all;
};

static void
listing_deinit(struct listing *listing)
{
    json_object_put(listing->domains);
}

static int
fetch(const struct common_options *common, const struct view *view,
      struct listing *ret, struct memctx_error *err)
{
    MEMCTX_CLEANUP(connect_cleanup_agent) struct memctx_agent *agent = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *text = NULL;
    if (connect_agent(common, &agent, err) < 0 ||
        memctx_agent_list(agent, &text, err) < 0)
        return -1;
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *all = json_tokener_parse(text);
    ret->domains = json_object_new_array();
    if (all == NULL || ret->domains == NULL)
        return memctx_error_set(err, MEMCTX_EXHAUSTED, "out of memory");
    ret->n_all = json_object_array_length(all);
    for (size_t i = 0; i < ret->n_all; i++) {
        json_object *domain = json_object_array_get_idx(all, i);
        if (is_wanted(view, domain))
            json_object_array_add(ret->domains, json_object_get(domain));
    }
    json_object_array_sort(ret->domains, view->compare);
    return 0;
}

static void
add_table(struct memctx_text *text, const struct listing *listing)
{
    int columns = domainline_name_columns(listing->domains);
    domainline_add_head(text, columns);
    for (size_t i = 0; i < json_object_array_length(listing->domains); i++)
        domainline_add(text, json_object_array_get_idx(listing->domains, i),
                       columns);
}

static enum exit_code
print_once(const struct common_options *common, const struct view *view,
           bool as_json)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(listing_deinit) struct listing listing = {.n_all = 0};
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text text = MEMCTX_TEXT_INIT;
    if (fetch(common, view, &listing, &err) < 0)
        return command_fail(EXIT_ERROR, "%s", err.message);
    if (as_json) {
        print_json(listing.domains);
        return EXIT_DONE;
    }
    add_table(&text, &listing);
    domainline_add_summary(&text, listing.domains, listing.n_all);
    if (text.failed)
        return command_fail(EXIT_ERROR, "out of memory");
    fwrite(text.bytes, 1, text.len_bytes, stdout);
    return EXIT_DONE;
}

/* ---- on a terminal ------------------------------------------------------ */

/* As much of the text as the terminal shows, in place of what it showed; what
 * is behind the last newline is the last line. */
static void
draw(const struct memctx_text *text)
{
    struct winsize size = {.ws_row = 0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    const char *at = text->bytes;
    const char *end = at + text->len_bytes;
    fputs("\033[H", stdout);
    for (unsigned row = 1; row <= size.ws_row && at < end; row++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        fwrite(at, 1, domainline_cut(at, (size_t)(stop - at), size.ws_col),
               stdout);
        fputs(row < size.ws_row && newline != NULL ? "\033[K\n" : "\033[K",
              stdout);
        at = newline != NULL ? newline + 1 : end;
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}

/* Each second asks anew, also an agent that was started meanwhile. The summary
 * stands on top: there it is seen however many domains there are. */
static enum exit_code
watch(const struct common_options *common, const struct view *view)
{
    fputs("\033[H\033[2J", stdout);
    while (!ferror(stdout)) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        MEMCTX_CLEANUP(listing_deinit) struct listing listing = {.n_all = 0};
        MEMCTX_CLEANUP(memctx_text_deinit)
        struct memctx_text text = MEMCTX_TEXT_INIT;
        if (fetch(common, view, &listing, &err) == 0) {
            domainline_add_summary(&text, listing.domains, listing.n_all);
            add_table(&text, &listing);
        } else {
            memctx_text_add(&text, "%s\n", err.message);
        }
        if (text.failed)
            return command_fail(EXIT_ERROR, "out of memory");
        draw(&text);
        poll(NULL, 0, WATCH_MS);
    }
    return EXIT_ERROR;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct list_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct view view;
    if (choose_states(options->states, &view, &err) < 0 ||
        choose_order(options->sort, &view, &err) < 0)
        return command_misused(in->command, "%s", err.message);
    if (!options->watch)
        return print_once(&in->common, &view, options->json);
    if (options->json)
        return command_misused(in->command, "--watch and --json exclude each "
                                            "other");
    if (isatty(STDOUT_FILENO) != 1)
        return command_misused(in->command,
                               "--watch is for a terminal; 'memctx wait "
                               "--follow' prints a line for each change");
    return watch(&in->common, &view);
}

const struct command command_list = {
    .name = "list",
    .group = COMMAND_DOMAINS,
    .summary = "list the domains, their state and the reason for it",
    .usage = "list [--state LIST] [--sort KEY] [--watch | --json]",
    .description =
        "Print a line for each running domain: its id, name and state, its "
        "generation, which counts the kernels of this run, and the reason "
        "where it is not ready, or where somebody else keeps changing its "
        "metadata. Where the clock of its kernel has stood for a second or "
        "more, say for how long. The last line says how many domains are in "
        "which state.",
    .options = option_table,
    .options_size = sizeof(struct list_options),
    .run = run,
};
