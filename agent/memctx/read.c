/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx read: guest memory as a hex dump, as JSON, or as it is. */
#include "memctx/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "qemu/opt.h"

#define LENGTH 256u
#define PIECE (64u * 1024) /* read and printed at once; a multiple of a row */
#define ROW 16u

/* What is to be printed, and how far it has come. */
struct range {
    struct memctx_reader *reader;
    bool physical;
    uint64_t start;
    uint64_t size;
};

/* Prints bytes that stand at an address; false: standard output takes no more.
 */
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

/* As hexdump -C: the address, 16 bytes in two groups, what is ASCII of them. */
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

/* What is before something that cannot be read is printed: there it goes on
 * row by row. Standard output that takes no more is for main() to report. */
static enum exit_code
copy(const struct range *range, print_fn *print, uint64_t *ret)
{
    unsigned char bytes[PIECE];
    size_t step = PIECE;
    for (uint64_t done = 0; done < range->size; *ret = done) {
        struct memctx_error err = MEMCTX_ERROR_INIT;
        size_t part = (size_t)memctx_min(range->size - done, step);
        if (read_piece(range, done, bytes, part, &err) == 0) {
            if (!print(range->start + done, bytes, part))
                break;
            done += part;
        } else if (part > ROW && err.kind == MEMCTX_RETRY)
            step = ROW;
        else {
            fflush(stdout);
            return cmd_fail(EXIT_ERROR, "%s", err.message);
        }
    }
    return EXIT_DONE;
}

static enum exit_code
print_range(const struct options *options, const struct range *range)
{
    uint64_t done = 0;
    if (!options->json)
        return copy(range, options->raw ? print_raw : print_rows, &done);
    /* How much it is is known at the end: of a part there is an object, too. */
    printf("{\"%s\":\"0x%" PRIx64 "\",\"bytes\":\"",
           range->physical ? "gpa" : "gva", range->start);
    enum exit_code code = copy(range, print_hex, &done);
    printf("\",\"size\":\"0x%" PRIx64 "\"}\n", done);
    return code;
}

bool
cmd_parse_address(const char *text, uint64_t *ret)
{
    size_t digits = strncmp(text, "0x", 2) == 0
                        ? strspn(text + 2, "0123456789abcdefABCDEF") + 2
                        : strspn(text, "0123456789");
    return text[digits] == '\0' && memctx_qemuopt_size(text, 1, ret);
}

enum exit_code
cmd_read(const struct options *options, int n_words, char **words)
{
    struct range range = {.physical = options->physical, .size = LENGTH};
    MEMCTX_CLEANUP(cmd_cleanup_reader) struct memctx_reader *reader = NULL;
    enum exit_code code;
    if (!cmd_parse_address(words[1], &range.start))
        return cmd_fail(EXIT_USAGE,
                        "an address such as 0xffffffff81000000 is wanted, "
                        "found '%s'",
                        words[1]);
    if (n_words > 2 && !memctx_qemuopt_size(words[2], 1, &range.size))
        return cmd_fail(EXIT_USAGE,
                        "a length such as 4096, 0x1000 or 4K is wanted, found "
                        "'%s'",
                        words[2]);
    if (range.size > 0 && range.start > UINT64_MAX - (range.size - 1))
        return cmd_fail(EXIT_USAGE, "there is nothing behind the last address");
    if (cmd_open(options, words[0], &reader, &code) < 0)
        return code;
    range.reader = reader;
    return print_range(options, &range);
}
