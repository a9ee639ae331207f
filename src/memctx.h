/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* libmemctx: read the memory of guests whose kernel memctxd has found.
 *
 *   struct memctx_error err = MEMCTX_ERROR_INIT;
 *   struct memctx_agent *agent;
 *   struct memctx_reader *reader;
 *   if (memctx_agent_connect(NULL, &agent, &err) < 0 ||
 *       memctx_reader_open(agent, "web1", 30000, &reader, &err) < 0)
 *       errx(1, "%s", err.message);
 *   memctx_reader_read_gva(reader, gva, buf, sizeof(buf), &err);
 *
 * It talks to the agent's control socket (memctx-control(7)) and reads guest
 * RAM through the descriptors it gets there, or asks the agent where none can
 * be had. libvirt is not needed.
 *
 * A function that can fail returns 0, or -1 with *err filled (NULL: nobody
 * wants to know). On success err is untouched, on failure what else it returns
 * is, but for buffers. Any of them may fail with EXHAUSTED. One thread at a
 * time may use an object; different objects may be used by different threads,
 * also readers of one agent once they are open. Guest memory is hostile: what
 * is read from it is the caller's to check. */
#ifndef MEMCTX_H
#define MEMCTX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the caller may do about an error. Later versions may know more. */
enum memctx_error_kind {
    MEMCTX_OK = 0,
    MEMCTX_RETRY,     /* not yet: the guest is still booting, or busy */
    MEMCTX_PERMANENT, /* never, as long as this run of the domain lasts */
    MEMCTX_GONE,      /* the domain, its RAM or the agent went away */
    MEMCTX_BUG,       /* a mistake in memctxd or in this library */
    MEMCTX_STALE,     /* that kernel runs there no more: renew the reader */
    MEMCTX_EXHAUSTED, /* no memory, descriptors or threads are left, here or in
                         the agent; that may pass */
    MEMCTX_ERROR_KINDS
};

#define MEMCTX_MESSAGE_MAX 480

struct memctx_error {
    enum memctx_error_kind kind;
    char message[MEMCTX_MESSAGE_MAX]; /* one sentence, no newline */
};

#define MEMCTX_ERROR_INIT  \
    {                      \
        .kind = MEMCTX_OK, \
    }

/* A connection to an agent. */
struct memctx_agent;

/* `where` is a libvirt URI, as for memctx -c; the absolute path of an agent's
 * directory; or NULL, for libvirt's own default URI. -1 with PERMANENT: no
 * agent answers there, or it serves nothing to our user; RETRY: it serves too
 * many just now. The caller disconnects. */
int memctx_agent_connect(const char *where, struct memctx_agent **ret,
                         struct memctx_error *err);

/* NULL is fine. Readers that were opened go on: each has a connection of its
 * own, so that it can also be used while another request waits here. */
void memctx_agent_disconnect(struct memctx_agent *agent);

/* The domains as JSON, an array of {"name","uuid","id","state","reason",
 * "generation"}; *ret is the caller's to free(). -1 with PERMANENT or GONE. */
int memctx_agent_list(struct memctx_agent *agent, char **ret,
                      struct memctx_error *err);

/* Wait until the kernel of `domain` (a name, UUID or id; it may be yet to
 * start) is known, at most timeout_ms; -1: without limit, 0: do not wait. -1
 * with RETRY: not in that time; PERMANENT: it will not be, and why, or nobody
 * of ours may ask; GONE: the agent left. */
int memctx_agent_wait(struct memctx_agent *agent, const char *domain,
                      int timeout_ms, struct memctx_error *err);

/* One domain's RAM and one kernel in it. */
struct memctx_reader;

/* Wait as memctx_agent_wait() does, then open the domain's RAM. -1 as there.
 * The caller closes it. */
int memctx_reader_open(struct memctx_agent *agent, const char *domain,
                       int timeout_ms, struct memctx_reader **ret,
                       struct memctx_error *err);

/* Also open a domain that is silent, and go on when it becomes so: its kernel
 * is complete in RAM and does not run, because it panicked or hangs, say. */
#define MEMCTX_OPEN_SILENT 0x1u

/* The same, with flags from above or'ed. Waits until the domain is in a state
 * that they take. -1 also with PERMANENT: a flag is not known. */
int memctx_reader_open_flags(struct memctx_agent *agent, const char *domain,
                             int timeout_ms, unsigned flags,
                             struct memctx_reader **ret,
                             struct memctx_error *err);

/* 0: the kernel was silent when that was looked at, which is now; 1: it is not
 * known to be. Only a reader that memctx_reader_check() finds good tells
 * something by it. The datum's "live" says how it was when it was opened. */
int memctx_reader_live(const struct memctx_reader *reader);

/* NULL is fine. Do it soon: what is open keeps a dead guest's RAM allocated,
 * and counts among the connections that an agent has. */
void memctx_reader_close(struct memctx_reader *reader);

/* After STALE, or GONE because the agent left: go over to the kernel that runs
 * now in the domain of this UUID, with the layout of now and the flags it was
 * opened with. Descriptors and texts of before are closed and freed. When it
 * fails (-1 as memctx_reader_open()), the reader is as it was. */
int memctx_reader_renew(struct memctx_reader *reader, int timeout_ms,
                        struct memctx_error *err);

/* Does the kernel still run that this reader was opened with, or stand silent
 * where that was asked for? 0, or -1 with STALE; RETRY: that is being checked,
 * or it is silent; GONE. Microseconds at most; no guest memory is read. */
int memctx_reader_check(struct memctx_reader *reader, struct memctx_error *err);

/* The UUID of the domain; valid until renewed or closed. */
const char *memctx_reader_uuid(const struct memctx_reader *reader);

/* The datum, as memctx show --json prints it; valid until renewed or closed. */
const char *memctx_reader_json(const struct memctx_reader *reader);

/* One fact of it by its path: "kcr3", "paging", "generation", "guest.version",
 * "kernel.base", "linux.phys_base", "windows.offsets.pid". The text is NULL
 * when it is not known. The number takes "0x..." (also with a minus, as two's
 * complement) and decimals: 0, or -1 when it is not known or no number. */
const char *memctx_reader_text(const struct memctx_reader *reader,
                               const char *path);
int memctx_reader_number(const struct memctx_reader *reader, const char *path,
                         uint64_t *ret);

/* [gpa, gpa + size) of the guest is [offset, offset + size) of a backend. */
struct memctx_extent {
    uint64_t gpa;
    uint64_t size;
    uint64_t offset;
    unsigned backend; /* from 0 on */
};

/* The extents in order of gpa and their number; valid until renewed or
 * closed. */
const struct memctx_extent *memctx_reader_extents(
    const struct memctx_reader *reader, size_t *count);

/* The descriptor of a backend, read-only; -1: there is none to be had (RAM is
 * QEMU's own memory), and reads go through the agent. The reader keeps it. Read
 * it with pread(2) only: mmap(2) allocates what the guest never touched. */
int memctx_reader_fd(const struct memctx_reader *reader, unsigned backend);

/* Read len bytes of guest-physical memory. A page that the guest never touched
 * reads as zeros. -1 with STALE: the kernel changed before or during the read,
 * so that bytes of two may be mixed; RETRY: part of the range is no RAM, or it
 * is being checked whether the kernel still runs; GONE. buf is then undefined.
 * It is the agent that knows; libmemctx(3) says how soon. */
int memctx_reader_read_gpa(struct memctx_reader *reader, uint64_t gpa,
                           void *buf, size_t len, struct memctx_error *err);

/* Read len bytes at a guest-virtual address of the kernel. Errors as above;
 * also RETRY: not mapped. A translation is at most 1 ms old (older only where
 * the agent itself takes longer to read a piece). */
int memctx_reader_read_gva(struct memctx_reader *reader, uint64_t gva,
                           void *buf, size_t len, struct memctx_error *err);

/* The same through another root, a process' say, of the kernel's format. Bits
 * of a CR3 that are no part of the address do not matter. */
int memctx_reader_read_root(struct memctx_reader *reader, uint64_t root_gpa,
                            uint64_t gva, void *buf, size_t len,
                            struct memctx_error *err);

/* Where the kernel maps a guest-virtual address; page_size in bytes, may be
 * NULL. Errors as above. */
int memctx_reader_translate(struct memctx_reader *reader, uint64_t gva,
                            uint64_t *gpa, uint64_t *page_size,
                            struct memctx_error *err);

/* The first run of bytes that may be non-zero at or after gpa and below limit:
 * 1 and [*start, *end), 0 when there is none, or -1 as above. A long run comes
 * in pieces. */
int memctx_reader_next_data(struct memctx_reader *reader, uint64_t gpa,
                            uint64_t limit, uint64_t *start, uint64_t *end,
                            struct memctx_error *err);

/* The text of Linux' VMCOREINFO as it stands in RAM, NUL behind it; *ret is the
 * caller's to free(), *len its bytes without the NUL. -1 with PERMANENT: this
 * kernel has none; else as above. */
int memctx_reader_vmcoreinfo(struct memctx_reader *reader, char **ret,
                             size_t *len, struct memctx_error *err);

/* ---- what the guest's kernel says of itself --------------------------------
 *
 * All of it is read from RAM while the guest runs, and none of it asks the
 * guest. It is of Linux, and where it says so of Windows. A call takes some
 * milliseconds, at most a second where the guest means ill, and less than
 * 64 MiB of memory. It parses what the guest wrote in the caller's process;
 * memctx(1) does so in a sandbox.
 *
 * Every call below that takes a reader may fail as memctx_reader_read_gva()
 * does; also with PERMANENT: it is another system, or this kernel does not tell
 * (it was built without types or symbols). Texts are the guest's: any bytes but
 * NUL, unless it says more. What is returned stays as it was then, until it is
 * freed, which the caller does; the reader may be closed before that. Rows and
 * their texts are of the list that they are in. Later versions may add members
 * at the end of a row, but not to struct memctx_symbol. */

/* Of a number: this guest does not tell it. */
#define MEMCTX_UNKNOWN UINT64_MAX

/* One record of the kernel's log. */
struct memctx_log_record {
    uint64_t seq;      /* its number; each is larger than the one before */
    uint64_t time_ns;  /* after the boot */
    uint64_t lost;     /* so many before it were overwritten by the guest before
                          they were read, and since the one that was given
                          before; of Linux before 5.10: 1 for any number */
    unsigned facility; /* as of syslog(3) without the shift: 0 is the kernel */
    unsigned level;    /* 0, an emergency, to 7 */
    const char *text;  /* until the next call; NUL behind it */
    size_t len;        /* bytes of it; it may have NULs and newlines within */
};

struct memctx_log;

/* Also give what the guest will say, not just what it has said by now. */
#define MEMCTX_LOG_FOLLOW 0x1u

/* Open the log, to be read from its oldest record on, with flags from above
 * or'ed. It reads through the reader: close it before that. -1 also with
 * PERMANENT: a flag is not known. */
int memctx_reader_log(struct memctx_reader *reader, unsigned flags,
                      struct memctx_log **ret, struct memctx_error *err);

/* The next record: 1 and *ret, which holds until the next call; 0: there is
 * none, or with MEMCTX_LOG_FOLLOW none yet, and a call some time later may give
 * one. -1 also with RETRY: just now it cannot be read; call again; STALE: the
 * kernel is another one, or the reader was renewed: open the log anew. A record
 * is given whole, or not at all. */
int memctx_log_next(struct memctx_log *log,
                    const struct memctx_log_record **ret,
                    struct memctx_error *err);
void memctx_log_close(struct memctx_log *log); /* NULL is fine */

/* A symbol, as a line of /proc/kallsyms. */
struct memctx_symbol {
    uint64_t address;
    char type;          /* as nm(1) has it; upper case: global */
    const char *name;   /* printable ASCII */
    const char *module; /* the same; "": it is the kernel's own */
};

struct memctx_symbols;

/* All symbols of the kernel and of its modules. A kernel without
 * CONFIG_KALLSYMS_ALL has functions only. */
int memctx_reader_symbols(struct memctx_reader *reader,
                          struct memctx_symbols **ret,
                          struct memctx_error *err);

/* NULL: they are all there; else why those of modules are not, or not all: a
 * sentence. */
const char *memctx_symbols_broken(const struct memctx_symbols *symbols);

/* How many there are, and the one of this index, which must be less. */
size_t memctx_symbols_count(const struct memctx_symbols *symbols);
struct memctx_symbol memctx_symbols_at(const struct memctx_symbols *symbols,
                                       size_t index);

/* The first one of this name; and the one at the greatest address that is not
 * above this one, of several the first. 0 and *ret, or -1: there is none. Each
 * looks at all of them: a millisecond. */
int memctx_symbols_find(const struct memctx_symbols *symbols, const char *name,
                        struct memctx_symbol *ret);
int memctx_symbols_below(const struct memctx_symbols *symbols, uint64_t address,
                         struct memctx_symbol *ret);
void memctx_symbols_free(struct memctx_symbols *symbols); /* NULL is fine */

/* One process. Threads are left out. */
struct memctx_process_info {
    uint64_t pid;
    uint64_t ppid;     /* MEMCTX_UNKNOWN, as the next two may be */
    uint64_t uid;      /* the real one */
    uint64_t start_ns; /* after the boot */
    char state;        /* a letter of ps(1); '\0': not known */
    char is_kernel;    /* 1: it is a thread of the kernel */
    const char *name;
};

struct memctx_process_list;

/* The processes, in order of their pids where they are Linux'. Of Windows pids
 * and names are told. Needs the kernel's types (CONFIG_DEBUG_INFO_BTF). */
int memctx_reader_processes(struct memctx_reader *reader,
                            struct memctx_process_list **ret,
                            struct memctx_error *err);

/* The process of this index; NULL: there are no more. */
const struct memctx_process_info *memctx_process_list_at(
    const struct memctx_process_list *list, size_t index);

/* NULL: the list is whole; else why it broke off: a sentence. */
const char *memctx_process_list_broken(const struct memctx_process_list *list);
void memctx_process_list_free(struct memctx_process_list *list); /* or NULL */

/* One module of the kernel. */
struct memctx_module_info {
    const char *name;
    uint64_t base;            /* address of its code; MEMCTX_UNKNOWN */
    uint64_t size;            /* bytes */
    const char *state;        /* "Live", "Loading" or "Unloading" */
    uint64_t refcount;        /* MEMCTX_UNKNOWN: this kernel does not count */
    const char *const *users; /* names of the modules that use it */
    size_t n_users;
};

struct memctx_module_list;

/* The modules in the order of lsmod(8). Needs the kernel's types and
 * CONFIG_KALLSYMS_ALL. The rest is as for processes. */
int memctx_reader_modules(struct memctx_reader *reader,
                          struct memctx_module_list **ret,
                          struct memctx_error *err);
const struct memctx_module_info *memctx_module_list_at(
    const struct memctx_module_list *list, size_t index);
const char *memctx_module_list_broken(const struct memctx_module_list *list);
void memctx_module_list_free(struct memctx_module_list *list); /* or NULL */

struct memctx_stat;

/* How the guest is: its memory, load, and failures. */
int memctx_reader_stat(struct memctx_reader *reader, struct memctx_stat **ret,
                       struct memctx_error *err);

/* One figure by its key, which are those of memctx stat --json: "hostname",
 * "kernel" and "command_line" are texts; the rest numbers: bytes ("mem_total"),
 * seconds ("uptime"), hundredths ("load1"), 0 or 1 ("panicked"). NULL, or -1:
 * this guest does not tell it, or there is no such key. */
const char *memctx_stat_text(const struct memctx_stat *stat, const char *key);
int memctx_stat_number(const struct memctx_stat *stat, const char *key,
                       uint64_t *ret);

/* NULL: the kernel has types; else why memory, uptime and processes are not
 * known: a sentence. */
const char *memctx_stat_broken(const struct memctx_stat *stat);
void memctx_stat_free(struct memctx_stat *stat); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
