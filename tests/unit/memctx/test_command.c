/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The table of commands: that each row is complete, and that a command line
 * reaches the row it fits, and no other. */
#include "unit.h"

#include <ctype.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "memctx/invocation.h"

#define ARGS_MAX 12
#define COLUMNS 79

/* ---- the rows ----------------------------------------------------------- */

/* Does `text` have `words`, and neither a letter nor a dash around them? */
static bool
has_words(const char *text, const char *words)
{
    size_t len = strlen(words);
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += len) {
        bool begins = at == text || (!isalnum(at[-1]) && at[-1] != '-');
        if (begins && !isalnum(at[len]) && at[len] != '-')
            return true;
    }
    return false;
}

static const struct option_row no_options[] = {OPTIONS_END};

static const struct option_row *
options_of(const struct command *command)
{
    return command->options != NULL ? command->options : no_options;
}

static const struct option_row *
find_option(const struct command *command, const char *name)
{
    for (const struct option_row *row = options_of(command); row->name != NULL;
         row++) {
        if (strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

static void
assert_text(const struct command *command, const char *what, const char *text)
{
    if (text == NULL || text[0] == '\0')
        fail_msg("%s has no %s", command->name, what);
}

static void
each_command_has_its_texts(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        assert_text(*c, "summary", (*c)->summary);
        assert_text(*c, "usage", (*c)->usage);
        assert_text(*c, "description", (*c)->description);
        assert_true((*c)->group < COMMAND_GROUPS);
        assert_non_null((*c)->run);
        /* "  NAME      SUMMARY" */
        assert_true(strlen((*c)->name) <= 9);
        assert_true(strlen((*c)->summary) <= COLUMNS - 12);
    }
}

static void
each_command_is_found_by_its_name(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++)
        assert_ptr_equal(command_find((*c)->name), *c);
    assert_null(command_find("lis"));
    assert_null(command_find(""));
}

/* Each line of a usage is a form of the command, or continues one. */
static void
each_usage_begins_with_the_name(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        const char *line = (*c)->usage;
        size_t len = strlen((*c)->name);
        assert_true(line[0] != ' ');
        while (line != NULL) {
            assert_true(line[0] == ' ' || strncmp(line, (*c)->name, len) == 0);
            assert_true(strcspn(line, "\n") + strlen("Usage: memctx ") <=
                        COLUMNS);
            line = strchr(line, '\n');
            line = line != NULL ? line + 1 : NULL;
        }
    }
}

static void
assert_names_all(const struct command *command)
{
    for (const struct option_row *row = options_of(command); row->name != NULL;
         row++) {
        bool takes = row->argument != NULL;
        char words[64];
        snprintf(words, sizeof(words), "--%s%s%s", row->name, takes ? " " : "",
                 takes ? row->argument : "");
        if (!has_words(command->usage, words))
            fail_msg("the usage of %s lacks %s", command->name, words);
    }
}

/* "--" alone ends options, in exec. */
static void
assert_names_no_other(const struct command *command)
{
    const char *at = command->usage;
    while ((at = strstr(at, "--")) != NULL) {
        char name[64];
        at += strlen("--");
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        if (len > 0 && find_option(command, name) == NULL)
            fail_msg("%s has no option --%s", command->name, name);
    }
}

static void
each_usage_names_the_options(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        assert_names_all(*c);
        assert_names_no_other(*c);
    }
}

static void
each_usage_names_the_arguments(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        const char *const *names = (*c)->arguments;
        assert_true((*c)->min_words <= (*c)->max_words);
        assert_true((*c)->min_words <= COMMAND_ARGUMENTS_MAX);
        for (int i = 0; i < COMMAND_ARGUMENTS_MAX; i++) {
            assert_true(i >= (*c)->min_words || names[i] != NULL);
            assert_true(names[i] == NULL || has_words((*c)->usage, names[i]));
            assert_true(names[i] == NULL || i < (*c)->max_words);
        }
    }
}

/* ---- options ------------------------------------------------------------ */

static size_t
size_of_kind(enum option_kind kind)
{
    switch (kind) {
    case OPTION_FLAG:
        return sizeof(bool);
    case OPTION_TEXT:
        return sizeof(const char *);
    case OPTION_SIZE:
        return sizeof(uint64_t);
    case OPTION_SECONDS:
        return sizeof(int64_t);
    }
    return 0;
}

/* Two options that could be taken for one another, or share their memory. */
static bool
collide(const struct option_row *a, const struct option_row *b, bool same_table)
{
    return strcmp(a->name, b->name) == 0 ||
           (a->letter != 0 && a->letter == b->letter) ||
           (same_table && a->offset < b->offset + size_of_kind(b->kind) &&
            b->offset < a->offset + size_of_kind(a->kind));
}

static void
assert_apart(const struct command *command, const struct option_row *row,
             const struct option_row *others, bool same_table)
{
    for (; others->name != NULL; others++) {
        if (others != row && collide(row, others, same_table))
            fail_msg("%s: --%s and --%s collide", command->name, row->name,
                     others->name);
    }
}

static void
options_of_a_command_are_unique(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        const struct option_row *row = options_of(*c);
        for (; row->name != NULL; row++) {
            assert_apart(*c, row, (*c)->options, true);
            assert_apart(*c, row, common_option_table, false);
            assert_true(row->offset + size_of_kind(row->kind) <=
                        (*c)->options_size);
            assert_text(*c, row->name, row->help);
            assert_true((row->kind == OPTION_FLAG) == (row->argument == NULL));
            /* "      --NAME ARGUMENT   HELP" */
            assert_true(strlen(row->help) <= COLUMNS - 25);
        }
    }
}

static void
assert_same_kind(const struct option_row *row)
{
    for (const struct command *const *c = commands; *c != NULL; c++) {
        const struct option_row *other = find_option(*c, row->name);
        if (other != NULL)
            assert_int_equal(other->argument == NULL, row->argument == NULL);
    }
}

/* Which word is the command depends on that, whichever command it is. */
static void
one_name_takes_an_argument_or_does_not(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        for (const struct option_row *row = options_of(*c); row->name != NULL;
             row++)
            assert_same_kind(row);
    }
}

/* ---- command lines ------------------------------------------------------ */

/* What main() gets. */
struct line {
    char text[256]; /* argv points into it */
    char *argv[ARGS_MAX + 1];
    int argc;
    struct invocation in;
};

/* Understand `text`, whose words are separated by blanks. */
static int
invoke(const char *text, struct line *line, struct memctx_error *err)
{
    memset(line, 0, sizeof(*line));
    snprintf(line->text, sizeof(line->text), "%s", text);
    char *rest = line->text;
    while (line->argc < ARGS_MAX &&
           (line->argv[line->argc] = strsep(&rest, " ")) != NULL)
        line->argc++;
    if (invocation_choose(&line->in, line->argc, line->argv, err) < 0)
        return -1;
    return invocation_parse(&line->in, line->argc, line->argv, err);
}

static void
assert_refused(const char *text, const char *command, const char *words)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    int failed = invoke(text, &line, &err);
    if (failed == 0 && line.in.command != NULL)
        failed = invocation_check_words(&line.in, &err);
    assert_int_equal(failed, -1);
    assert_error(&err, MEMCTX_PERMANENT, words);
    if (command == NULL)
        assert_null(line.in.command);
    else
        assert_ptr_equal(line.in.command, command_find(command));
    invocation_deinit(&line.in);
}

/* An argument for a kind of option, and the value of the member then. */
static const char *
example_of(enum option_kind kind)
{
    switch (kind) {
    case OPTION_SIZE:
        return " 12288";
    case OPTION_SECONDS:
        return " 2.5";
    case OPTION_TEXT:
        return " some-text";
    case OPTION_FLAG:
        return "";
    }
    return "";
}

static bool
is_set(const struct option_row *row, const void *values)
{
    const void *member = (const char *)values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        return *(const bool *)member;
    case OPTION_TEXT:
        return *(const char *const *)member != NULL &&
               strcmp(*(const char *const *)member, "some-text") == 0;
    case OPTION_SIZE:
        return *(const uint64_t *)member == 12288;
    case OPTION_SECONDS:
        return *(const int64_t *)member == 2500;
    }
    return false;
}

static void
write_line(char *to, size_t size, const struct command *command,
           const struct option_row *row, bool before)
{
    const char *name = command->name;
    const char *value = example_of(row->kind);
    if (before)
        snprintf(to, size, "memctx --%s%s %s", row->name, value, name);
    else
        snprintf(to, size, "memctx %s --%s%s", name, row->name, value);
}

/* ... and no other member. */
static void
assert_reaches(const struct command *command, const struct option_row *row,
               bool before)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    char text[128];
    write_line(text, sizeof(text), command, row, before);
    assert_done(invoke(text, &line, &err), &err);
    assert_ptr_equal(line.in.command, command);
    for (const struct option_row *other = options_of(command);
         other->name != NULL; other++)
        assert_int_equal(is_set(other, line.in.options), other == row);
    invocation_deinit(&line.in);
}

static void
each_option_reaches_its_member(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        for (const struct option_row *row = options_of(*c); row->name != NULL;
             row++) {
            assert_reaches(*c, row, false);
            assert_reaches(*c, row, true);
        }
    }
}

/* The options of `from` that `command` does not have; returns how many. */
static unsigned
assert_refuses_others(const struct command *command, const struct command *from)
{
    unsigned count = 0;
    for (const struct option_row *row = options_of(from); row->name != NULL;
         row++) {
        char text[128];
        char said[64];
        if (find_option(command, row->name) != NULL)
            continue;
        snprintf(said, sizeof(said), "unknown option '--%s'", row->name);
        write_line(text, sizeof(text), command, row, false);
        assert_refused(text, command->name, said);
        write_line(text, sizeof(text), command, row, true);
        assert_refused(text, command->name, said);
        count++;
    }
    return count;
}

static void
options_of_others_are_refused(void **state)
{
    (void)state;
    unsigned count = 0;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        for (const struct command *const *from = commands; *from != NULL;
             from++)
            count += assert_refuses_others(*c, *from);
    }
    assert_true(count > 100);
}

static void
every_command_has_the_common_options(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    for (const struct command *const *c = commands; *c != NULL; c++) {
        char text[128];
        struct line line;
        snprintf(text, sizeof(text), "memctx -c a:///b %s --runtime-dir /x -hV",
                 (*c)->name);
        assert_done(invoke(text, &line, &err), &err);
        assert_string_equal(line.in.common.uri, "a:///b");
        assert_string_equal(line.in.common.runtime_dir, "/x");
        assert_true(line.in.common.help && line.in.common.version);
        invocation_deinit(&line.in);
    }
}

static void
words_are_those_behind_the_command(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_done(
        invoke("memctx --raw read --physical web1 0x1000 --timeout 1 16", &line,
               &err),
        &err);
    assert_int_equal(line.in.n_words, 3);
    assert_string_equal(line.in.words[0], "web1");
    assert_string_equal(line.in.words[2], "16");
    assert_null(line.in.words[3]);
    assert_done(invocation_check_words(&line.in, &err), &err);
    invocation_deinit(&line.in);
    assert_done(invoke("memctx exec web1 -- list --json", &line, &err), &err);
    assert_ptr_equal(line.in.command, command_find("exec"));
    assert_string_equal(line.in.words[2], "--json");
    invocation_deinit(&line.in);
}

/* Its options stand before DOMAIN; "--" is handed on, too. */
static void
what_is_behind_the_own_words_of_run_is_the_tools(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_done(
        invoke("memctx -c test:///x run --timeout 1 drgn web1 -c --json a -h",
               &line, &err),
        &err);
    assert_ptr_equal(line.in.command, command_find("run"));
    assert_string_equal(line.in.common.uri, "test:///x");
    assert_false(line.in.common.help);
    assert_int_equal(line.in.n_words, 6);
    assert_string_equal(line.in.words[0], "drgn");
    assert_string_equal(line.in.words[2], "-c");
    assert_string_equal(line.in.words[5], "-h");
    invocation_deinit(&line.in);
    assert_done(invoke("memctx run crash -c test:///x web1 -- -s", &line, &err),
                &err);
    assert_string_equal(line.in.common.uri, "test:///x");
    assert_int_equal(line.in.n_words, 4);
    assert_string_equal(line.in.words[1], "web1");
    assert_string_equal(line.in.words[2], "--");
    invocation_deinit(&line.in);
    assert_refused("memctx run drgn", "run", "DOMAIN is missing");
    assert_refused("memctx run --json drgn web1", "run", "unknown option");
}

static void
a_line_without_a_command(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    assert_done(invoke("memctx --version", &line, &err), &err);
    assert_null(line.in.command);
    assert_true(line.in.common.version);
    assert_int_equal(line.in.n_words, 0);
    assert_refused("memctx --json", NULL, "unknown option '--json'");
}

static void
a_command_that_is_none(void **state)
{
    (void)state;
    assert_refused("memctx lst", NULL, "unknown command 'lst'");
    assert_refused("memctx --help lst", NULL, "unknown command 'lst'");
    assert_refused("memctx --bogus list", NULL, "unknown option '--bogus'");
}

static void
too_few_words_or_too_many(void **state)
{
    (void)state;
    assert_refused("memctx show", "show", "DOMAIN is missing");
    assert_refused("memctx read web1", "read", "ADDRESS is missing");
    assert_refused("memctx write web1 0", "write", "HEX is missing");
    assert_refused("memctx exec web1 --", "exec", "COMMAND is missing");
    assert_refused("memctx list web1", "list", "unexpected argument 'web1'");
    assert_refused("memctx read a 0 1 2", "read", "unexpected argument '2'");
}

static void
addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "4K", "x", "0x", "-1", "1 2", "0x1g", "0x10000000000000000"};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct line line;
    uint64_t address = 7;
    assert_done(invoke("memctx read web1 0xffffffff81000000 10", &line, &err),
                &err);
    assert_done(invocation_address(&line.in, 1, &address, &err), &err);
    assert_int_equal(address, 0xffffffff81000000u);
    assert_done(invocation_address(&line.in, 2, &address, &err), &err);
    assert_int_equal(address, 10);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(wrong); i++) {
        line.in.words[1] = (char *)wrong[i];
        assert_int_equal(invocation_address(&line.in, 1, &address, &err), -1);
        assert_error(&err, MEMCTX_PERMANENT, "ADDRESS is an address");
        assert_int_equal(address, 10);
    }
    invocation_deinit(&line.in);
}

static void
places(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *symbol; /* NULL: none */
        uint64_t address;
    } rows[] = {{"0x10", NULL, 16},        {"16", NULL, 16},
                {"do_exit", "do_exit", 0}, {"do_exit+0x10", "do_exit", 16},
                {"_text+8", "_text", 8},   {"a.part.0+1", "a.part.0", 1}};
    static const char *const wrong[] = {"",     "4K",   "-1",     "+1",
                                        "0x",   "a+",   "a+b",    "a+-1",
                                        "a+4K", "a+1+", "a+0x1g", "a++"};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct invocation_place place;
    struct line line;
    assert_done(invoke("memctx read web1 0", &line, &err), &err);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
        line.in.words[1] = (char *)rows[i].word;
        assert_done(invocation_place(&line.in, 1, &place, &err), &err);
        assert_true(place.address == rows[i].address);
        assert_true((place.symbol == NULL) == (rows[i].symbol == NULL));
        if (rows[i].symbol == NULL)
            continue;
        assert_int_equal(place.symbol_len, strlen(rows[i].symbol));
        assert_memory_equal(place.symbol, rows[i].symbol, place.symbol_len);
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(wrong); i++) {
        line.in.words[1] = (char *)wrong[i];
        assert_int_equal(invocation_place(&line.in, 1, &place, &err), -1);
        assert_int_equal(err.kind, MEMCTX_PERMANENT);
    }
    invocation_deinit(&line.in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_has_its_texts),
        cmocka_unit_test(each_command_is_found_by_its_name),
        cmocka_unit_test(each_usage_begins_with_the_name),
        cmocka_unit_test(each_usage_names_the_options),
        cmocka_unit_test(each_usage_names_the_arguments),
        cmocka_unit_test(options_of_a_command_are_unique),
        cmocka_unit_test(one_name_takes_an_argument_or_does_not),
        cmocka_unit_test(each_option_reaches_its_member),
        cmocka_unit_test(options_of_others_are_refused),
        cmocka_unit_test(every_command_has_the_common_options),
        cmocka_unit_test(words_are_those_behind_the_command),
        cmocka_unit_test(what_is_behind_the_own_words_of_run_is_the_tools),
        cmocka_unit_test(a_line_without_a_command),
        cmocka_unit_test(a_command_that_is_none),
        cmocka_unit_test(too_few_words_or_too_many),
        cmocka_unit_test(addresses),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
