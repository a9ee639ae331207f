/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx read: guest memory as a hex dump, as JSON, or as it is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "memctx/explained.h"
#include "memctx/print.h"
#include "memctx/quote.h"
#include "text/jsonguard.h"

#define LENGTH 256u
#define PIECE (64u * 1024) /* read and printed at once; a multiple of a row */
#define ROW 16u

struct read_options {
    bool physical;
    bool raw;
    int64_t timeout_ms;
    bool json;
};

static const struct option_row option_table[] = {
    {"physical", 0, OPTION_FLAG, NULL, offsetof(struct read_options, physical),
     "ADDRESS is guest-physical"},
    {"raw", 0, OPTION_FLAG, NULL, offsetof(struct read_options, raw),
     "print the bytes as they are"},
    COMMAND_OPTION_JSON(struct read_options),
    COMMAND_OPTION_TIMEOUT(struct read_options),
    OPTIONS_END,
};

/* What is to be printed. */
struct range {
    struct memctx_reader *reader;
    bool physical;
    uint64_t start;
    uint64_t size;
    const struct invocation_place *place; /* that was asked for */
};

/* Prints n bytes of the guest, which has them at `address`. False: standard
 * output takes no more. */
typedef bool print_fn(uint64_t address, const unsigned char *bytes, size_t n);

static bool
print_raw(uint64_t address, const unsigned char *bytes, size_t n)
{
    (void)address;
    return fwrite(bytes, 1, n, stdout) == n;
}

static bool
print_hex(uint64_t address, const unsigned char *bytes, size_t n)
{
    (void)address;
    for (size_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    return !ferror(stdout);
}

/* As hexdump -C: the address, 16 bytes in two groups, their printable ASCII. */
static void
print_row(uint64_t address, const unsigned char *bytes, size_t n)
{
    char hex[3 * ROW + 2];
    char text[ROW + 1] = "";
    char *to = hex;
    for (size_t i = 0; i < ROW; i++) {
        if (i == ROW / 2)
            *to++ = ' ';
        to += i < n ? sprintf(to, " %02x", bytes[i]) : sprintf(to, "   ");
        if (i < n)
            text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '.';
    }
    printf("%016" PRIx64 " %s  |%s|\n", address, hex, text);
}

static bool
print_rows(uint64_t address, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += ROW)
        print_row(address + i, bytes + i, (size_t)memctx_min(ROW, n - i));
    return !ferror(stdout);
}

static int
read_piece(const struct range *range, uint64_t done, unsigned char *bytes,
           size_t n, struct memctx_error *err)
{
    return range->physical
               ? memctx_reader_read_gpa(range->reader, range->start + done,
                                        bytes, n, err)
               : memctx_reader_read_gva(range->reader, range->start + done,
                                        bytes, n, err);
}

/* Print the range piece by piece; *ret are the bytes that were printed. From a
 * piece on that cannot be read, go on row by row, so that all before the first
 * bad row is printed. If standard output takes no more, main() reports it. */
static enum exit_code
print_pieces(const struct range *range, print_fn *print, uint64_t *ret)
{
    unsigned char bytes[PIECE];
    size_t step = PIECE;
    *ret = 0;
    while (*ret < range->size) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        size_t part = (size_t)memctx_min(range->size - *ret, step);
        int failed = read_piece(range, *ret, bytes, part, &err);
        if (failed == 0 && !print(range->start + *ret, bytes, part))
            break;
        if (failed == 0) {
            *ret += part;
        } else if (part > ROW && err.kind == MEMCTX_RETRY) {
            step = ROW;
        } else {
            fflush(stdout); /* so that the error stands behind the rows */
            return command_fail(EXIT_ERROR, "%s", err.message);
        }
    }
    return EXIT_DONE;
}

/* The address as a symbol, as debuggers write it. It was typed, and is a symbol
 * of the guest's, which may be called anything. */
static void
add_symbol(const struct range *range, struct memctx_text *text)
{
    const struct invocation_place *place = range->place;
    memctx_text_add_bytes(text, place->symbol, place->symbol_len);
    if (place->address != 0)
        memctx_text_add(text, "+" MEMCTX_HEX, place->address);
}

static enum exit_code
print_dump(const struct range *range)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text symbol = MEMCTX_TEXT_INIT;
    uint64_t done;
    if (range->place->symbol != NULL) {
        add_symbol(range, &symbol);
        printf("%016" PRIx64 " <", range->start);
        quote_print(symbol.bytes != NULL ? symbol.bytes : "");
        puts(">:");
    }
    return print_pieces(range, print_rows, &done);
}

static void
print_symbol_member(const struct range *range)
{
    MEMCTX_CLEANUP(memctx_text_deinit)
    struct memctx_text symbol = MEMCTX_TEXT_INIT;
    add_symbol(range, &symbol);
    MEMCTX_CLEANUP(memctx_cleanup_json)
    json_object *text = quote_json(symbol.bytes != NULL ? symbol.bytes : "");
    fputs(",\"symbol\":", stdout);
    print_member(text);
}

static enum exit_code
print_object(const struct range *range)
{
    uint64_t done;
    printf("{\"%s\":\"" MEMCTX_HEX "\"", range->physical ? "gpa" : "gva",
           range->start);
    if (range->place->symbol != NULL)
        print_symbol_member(range);
    fputs(",\"bytes\":\"", stdout);
    /* The size comes last: only then is it known how much could be read. */
    enum exit_code code = print_pieces(range, print_hex, &done);
    printf("\",\"size\":\"" MEMCTX_HEX "\"}\n", done);
    return code;
}

static int
set_start(struct range *range, uint64_t start, struct memctx_error *err)
{
    if (range->size > 0 && start > UINT64_MAX - (range->size - 1))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "the range goes beyond the last address");
    range->start = start;
    return 0;
}

/* What the words ask for, before anything is opened. */
static int
parse_range(const struct invocation *in, struct range *range,
            struct invocation_place *place, struct memctx_error *err)
{
    if (invocation_place(in, 1, place, err) < 0)
        return -1;
    if (place->symbol != NULL && range->physical)
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "a symbol has no guest-physical address: "
                                "--physical takes a number");
    if (in->n_words > 2 &&
        !memctx_number_parse_size(in->words[2], 1, &range->size))
        return memctx_error_set(err, MEMCTX_PERMANENT,
                                "LENGTH is a size such as 4096, 0x1000 or 4K, "
                                "found '%s'",
                                in->words[2]);
    return place->symbol == NULL ? set_start(range, place->address, err) : 0;
}

/* Open the guest and give up all else. Of a symbol the address is looked up
 * then. */
static enum exit_code
open_range(const struct invocation *in, const struct invocation_place *place,
           struct explained *explained, struct range *range)
{
    const struct read_options *options = in->options;
    const struct explained_from from = {.timeout_ms = options->timeout_ms};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    uint64_t address;
    enum exit_code code = explained_open(in, &from, explained);
    if (code == EXIT_DONE && place->symbol != NULL)
        symbolcache_open(&explained->subject, &explained->cache);
    if (code == EXIT_DONE)
        code = place->symbol == NULL
                   ? subject_confine(&explained->subject, NULL)
                   : explained_enter_linux(explained, NULL);
    if (code != EXIT_DONE)
        return code;
    if (place->symbol != NULL &&
        (explained_resolve(explained, place, &address, &err) < 0 ||
         set_start(range, address, &err) < 0))
        return subject_fail(&explained->subject, &err);
    range->reader = explained->subject.reader;
    return EXIT_DONE;
}

static enum exit_code
run(const struct invocation *in)
{
    const struct read_options *options = in->options;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct invocation_place place;
    struct range range = {
        .physical = options->physical, .size = LENGTH, .place = &place};
    MEMCTX_CLEANUP(explained_deinit)
    struct explained explained = EXPLAINED_INIT;
    if (options->raw && options->json)
        return command_misused(in->command, "--raw and --json exclude each "
                                            "other");
    if (parse_range(in, &range, &place, &err) < 0)
        return command_misused(in->command, "%s", err.message);
    enum exit_code code = open_range(in, &place, &explained, &range);
    if (code != EXIT_DONE)
        return code;
    if (options->json)
        return print_object(&range);
    uint64_t done;
    return options->raw ? print_pieces(&range, print_raw, &done)
                        : print_dump(&range);
}

const struct command command_read = {
    .name = "read",
    .group = COMMAND_MEMORY,
    .summary = "print guest memory as a hex dump",
    .usage = "read DOMAIN ADDRESS [LENGTH] [--physical] [--raw | --json]\n"
             "     [--timeout S]",
    .description =
        "Print LENGTH bytes of guest memory (256 without it) at the virtual "
        "address ADDRESS of the guest's kernel. ADDRESS is decimal, "
        "hexadecimal with 0x, or of a Linux guest SYMBOL or SYMBOL+OFFSET; "
        "LENGTH may have a suffix K, M or G.\n\n"
        "If a part cannot be read, all before it is printed and memctx "
        "exits with 1." COMMAND_ABOUT_DOMAIN,
    .arguments = {"DOMAIN", "ADDRESS", "LENGTH"},
    .min_words = 2,
    .max_words = 3,
    .options = option_table,
    .options_size = sizeof(struct read_options),
    .run = run,
};
