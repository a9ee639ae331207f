/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints how a Linux guest is, from its RAM: its memory, what runs in it, its
 * modules, and what its kernel warned of.
 *   cc guest-report.c -o guest-report $(pkg-config --cflags --libs libmemctx)
 *   ./guest-report DOMAIN [URI]
 * All texts are the guest's, so what a terminal might obey is left out. */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <memctx.h>

static struct memctx_error error;

static void
print_text(const char *title, const char *text)
{
    printf("%s", title);
    for (; *text != '\0'; text++)
        putchar(*text >= ' ' && *text <= '~' ? *text : '?');
    putchar('\n');
}

static void
must(int failed)
{
    if (failed < 0)
        errx(1, "%s", error.message);
}

static void
print_figures(struct memctx_reader *reader)
{
    struct memctx_stat *stat;
    uint64_t total, free, failed = 0;
    must(memctx_reader_stat(reader, &stat, &error));
    if (memctx_stat_text(stat, "hostname") != NULL)
        print_text("host ", memctx_stat_text(stat, "hostname"));
    if (memctx_stat_number(stat, "mem_total", &total) == 0 &&
        memctx_stat_number(stat, "mem_free", &free) == 0)
        printf("memory %" PRIu64 " MiB, free %" PRIu64 " MiB\n", total >> 20,
               free >> 20);
    if (memctx_stat_number(stat, "panicked", &failed) == 0 && failed)
        puts("it has panicked");
    memctx_stat_free(stat);
}

static void
print_lists(struct memctx_reader *reader)
{
    const struct memctx_process_info *process;
    const struct memctx_module_info *module;
    struct memctx_process_list *processes;
    struct memctx_module_list *modules;
    must(memctx_reader_processes(reader, &processes, &error));
    for (size_t i = 0; (process = memctx_process_list_at(processes, i)); i++) {
        printf("process %" PRIu64 " ", process->pid);
        print_text("", process->name);
    }
    if (memctx_process_list_broken(processes) != NULL)
        warnx("%s", memctx_process_list_broken(processes));
    memctx_process_list_free(processes);
    /* Not every kernel tells its modules. */
    if (memctx_reader_modules(reader, &modules, &error) < 0)
        return;
    for (size_t i = 0; (module = memctx_module_list_at(modules, i)); i++)
        print_text("module ", module->name);
    memctx_module_list_free(modules);
}

/* Warnings and worse. A place in the code that is named by its address only can
 * be looked up with memctx_symbols_below(). */
static void
print_warnings(struct memctx_reader *reader)
{
    const struct memctx_log_record *record;
    struct memctx_log *log;
    int got;
    must(memctx_reader_log(reader, 0, &log, &error));
    while ((got = memctx_log_next(log, &record, &error)) > 0)
        if (record->level <= 4)
            print_text("log ", record->text);
    must(got);
    memctx_log_close(log);
}

int
main(int argc, char **argv)
{
    struct memctx_agent *agent;
    struct memctx_reader *reader;
    if (argc < 2)
        errx(2, "guest-report DOMAIN [URI]");
    must(memctx_agent_connect(argv[2], &agent, &error));
    must(memctx_reader_open_flags(agent, argv[1], 10000, MEMCTX_OPEN_SILENT,
                                  &reader, &error));
    print_figures(reader);
    print_lists(reader);
    print_warnings(reader);
    memctx_reader_close(reader);
    memctx_agent_disconnect(agent);
}
