/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints a Linux guest's release or a Windows guest's processes, from its RAM:
 *   cc guest-info.c -o guest-info $(pkg-config --cflags --libs libmemctx)
 *   ./guest-info DOMAIN [URI] */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <memctx.h>

static struct memctx_error error;
static struct memctx_reader *reader;

static uint64_t
number(const char *path)
{
    uint64_t value;
    if (memctx_reader_number(reader, path, &value) < 0)
        errx(1, "%s of this guest is not known", path);
    return value;
}

/* STALE: the guest was rebooted; a program that stays renews its reader. */
static void
get(uint64_t gva, void *to, size_t size)
{
    if (memctx_reader_read_gva(reader, gva, to, size, &error) < 0)
        errx(1, "%s", error.message);
}

/* init_uts_ns.name: texts of 65 bytes, of which the third is the release. */
static void
print_linux(void)
{
    char *info, *at, release[65];
    uint64_t gva = 0, name = 4; /* behind a kref before 5.11 */
    size_t len;
    if (memctx_reader_vmcoreinfo(reader, &info, &len, &error) < 0)
        errx(1, "%s", error.message);
    if ((at = strstr(info, "\nSYMBOL(init_uts_ns)=")) != NULL)
        gva = strtoull(strchr(at, '=') + 1, NULL, 16);
    if ((at = strstr(info, "\nOFFSET(uts_namespace.name)=")) != NULL)
        name = strtoull(strchr(at, '=') + 1, NULL, 10);
    free(info);
    get(gva + name + 2 * sizeof(release), release, sizeof(release));
    printf("Linux %.64s\n", release);
}

/* From System to the list's head, which is in the kernel's image. */
static void
print_windows(void)
{
    size_t word = memctx_reader_text(reader, "paging")[4] == '6' ? 8 : 4;
    unsigned long long pid = 0, links = number("windows.offsets.links");
    uint64_t to_pid = number("windows.offsets.pid") - links;
    uint64_t to_name = number("windows.offsets.image_name") - links;
    uint64_t base = number("kernel.base"), size = number("kernel.size");
    uint64_t at = number("windows.system_eprocess") + links;
    for (int n = 0; n < 100000 && at - base >= size; n++) {
        char name[16] = "";
        get(at + to_pid, &pid, word);
        get(at + to_name, name, 15);
        printf("%8llu %s\n", pid, name);
        get(at, &at, word);
    }
}

int
main(int argc, char **argv)
{
    struct memctx_agent *agent;
    if (argc < 2 || memctx_agent_connect(argv[2], &agent, &error) < 0 ||
        memctx_reader_open_flags(agent, argv[1], 10000, MEMCTX_OPEN_SILENT,
                                 &reader, &error) < 0)
        errx(1, "guest-info DOMAIN [URI]: %s", error.message);
    if (!memctx_reader_live(reader))
        warnx("this kernel stands still");
    int is_linux = strcmp(memctx_reader_text(reader, "guest.os"), "linux") == 0;
    (is_linux ? print_linux : print_windows)();
    memctx_reader_close(reader);
    memctx_agent_disconnect(agent);
}
