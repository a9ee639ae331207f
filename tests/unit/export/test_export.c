/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* What is told to which tool: one golden text each, and every layout or system
 * that a tool cannot take is refused with what can. */
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "btfimg.h"
#include "export/export.h"
#include "export/readers.h"

#define LOW UINT64_C(0x80000000)
#define HIGH UINT64_C(0x100000000)

static const struct memctx_extent flat[] = {{0, LOW, 0, 0}};
static const struct memctx_extent split[] = {{0, LOW, 0, 0},
                                             {HIGH, LOW, LOW, 0}};
static const struct memctx_extent cells[] = {{0, LOW, 0, 0}, {HIGH, LOW, 0, 1}};
static const struct memctx_extent moved[] = {{HIGH, LOW, 0, 0}};

static const char *const one_path[] = {"/dump/web 1.raw"};
static const char *const fd_paths[] = {"/proc/self/fd/3", "/proc/self/fd/4"};

#define VMCOREINFO "OSRELEASE=6.1.0\nPAGESIZE=4096\n"

/* A subject, and the datum that it points to. */
struct guest {
    struct memctx_datum datum;
    struct memctx_export_subject subject;
};

static void
make_linux(struct guest *guest)
{
    *guest = (struct guest){
        .datum = {.generation = 2,
                  .low = LOW,
                  .ram_size = 2 * LOW,
                  .kernel = {.os = MEMCTX_OS_LINUX,
                             .paging = MEMCTX_PAGING_X86_64_4LEVEL,
                             .kcr3 = 0x6800000,
                             .version = "6.1.0-13-amd64",
                             .identity = "b0d2",
                             .base_gva = UINT64_C(0xffffffff99a00000),
                             .linux_facts = {.has_kaslr_offset = true,
                                             .kaslr_offset = 0x18a00000,
                                             .has_phys_base = true,
                                             .phys_base = -0x27200000,
                                             .vmcoreinfo_gpa = 0x39424000,
                                             .vmcoreinfo_size = 2921}}},
        .subject = {.domain = "web1",
                    .uuid = "5a2e0c7e-1f5b-4a52-9d5e-6d1b2a3c4d5e",
                    .extents = split,
                    .n_extents = 2,
                    .paths = fd_paths,
                    .n_backends = 1,
                    .vmcoreinfo = VMCOREINFO,
                    .vmcoreinfo_len = strlen(VMCOREINFO)},
    };
    guest->subject.datum = &guest->datum;
}

static void
make_windows(struct guest *guest)
{
    make_linux(guest);
    guest->subject.vmcoreinfo = NULL;
    guest->datum.kernel = (struct memctx_kernel){
        .os = MEMCTX_OS_WINDOWS,
        .paging = MEMCTX_PAGING_X86_64_4LEVEL,
        .kcr3 = 0x1ad000,
        .version = "10.0.19045",
        .identity = "ntkrnlmp.pdb/8B11/1",
        .base_gva = UINT64_C(0xfffff80312600000),
        .size_bytes = 0x1046000,
        .first_process_gva = UINT64_C(0xffffd50b1a2b3040),
        .windows_facts = {.offsets = {.dtb = 0x28,
                                      .pid = 0x440,
                                      .links = 0x448,
                                      .image_name = 0x5a8}},
    };
}

static void
lay_out(struct guest *guest, const struct memctx_extent *extents, size_t n)
{
    guest->subject.extents = extents;
    guest->subject.n_extents = n;
    guest->subject.n_backends = n == 2 && extents[1].backend == 1 ? 2 : 1;
}

static void
assert_text_at(const struct guest *guest, const char *format, const char *text,
               int line)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
    size_t len = 0;
    assert_done_at(memctx_export(memctx_export_find(format), &guest->subject,
                                 &got, &len, &err),
                   &err, __FILE__, line);
    if (strcmp(got, text) != 0 || len != strlen(text)) {
        print_error("wanted:\n%s\nfound:\n%s\n", text, got);
        _fail(__FILE__, line);
    }
}

#define assert_text(guest, format, text) \
    assert_text_at((guest), (format), (text), __LINE__)

static void
assert_refused_at(const struct guest *guest, const char *format,
                  const char *words, int line)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *got = NULL;
    size_t len;
    if (memctx_export(memctx_export_find(format), &guest->subject, &got, &len,
                      &err) == 0) {
        print_error("%s: not refused\n", format);
        _fail(__FILE__, line);
    }
    assert_error_at(&err, MEMCTX_PERMANENT, words, __FILE__, line);
    assert_null(got);
}

#define assert_refused(guest, format, words) \
    assert_refused_at((guest), (format), (words), __LINE__)

/* The text; the caller frees it. */
static char *
export_text(const struct guest *guest, const char *format)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    char *got = NULL;
    size_t len;
    assert_done(memctx_export(memctx_export_find(format), &guest->subject, &got,
                              &len, &err),
                &err);
    return got;
}

static void
assert_has(const struct guest *guest, const char *format, const char *words)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = export_text(guest, format);
    if (strstr(got, words) == NULL)
        fail_msg("no:\n%s\nin:\n%s", words, got);
}

static void
assert_has_not(const struct guest *guest, const char *format, const char *words)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = export_text(guest, format);
    if (strstr(got, words) != NULL)
        fail_msg("'%s' in:\n%s", words, got);
}

static void
assert_begins(const struct guest *guest, const char *format, const char *words)
{
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = export_text(guest, format);
    if (strncmp(got, words, strlen(words)) != 0)
        fail_msg("%s: '%s' is not the beginning of:\n%s", format, words, got);
}

/* ---- no tool's ---------------------------------------------------------- */

static void
a_shell_gets_what_is_known_and_loses_the_rest(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    assert_text(&guest, "shell",
                "MEMCTX_DOMAIN='web1'\n"
                "MEMCTX_UUID='5a2e0c7e-1f5b-4a52-9d5e-6d1b2a3c4d5e'\n"
                "MEMCTX_GENERATION='2'\n"
                "unset MEMCTX_LIVE\n"
                "MEMCTX_KCR3='0x6800000'\n"
                "MEMCTX_LOW='0x80000000'\n"
                "MEMCTX_PAGING='x86_64-4level'\n"
                "MEMCTX_OS='linux'\n"
                "MEMCTX_VERSION='6.1.0-13-amd64'\n"
                "MEMCTX_IDENTITY='b0d2'\n"
                "MEMCTX_RAM_SIZE='0x100000000'\n"
                "MEMCTX_EXTENTS='0x0:0x80000000:0:0x0 "
                "0x100000000:0x80000000:0:0x80000000'\n"
                "MEMCTX_KERNEL_BASE='0xffffffff99a00000'\n"
                "unset MEMCTX_KERNEL_SIZE\n"
                "MEMCTX_KASLR_OFFSET='0x18a00000'\n"
                "MEMCTX_PHYS_BASE='-0x27200000'\n"
                "unset MEMCTX_KIMAGE_VOFFSET\n"
                "MEMCTX_VMCOREINFO_GPA='0x39424000'\n"
                "MEMCTX_VMCOREINFO_SIZE='2921'\n"
                "unset MEMCTX_SYSTEM_EPROCESS\n");
}

static void
a_hostile_version_is_one_word_of_the_shell(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    strcpy(guest.datum.kernel.version, "';touch/tmp/x;'$(id)`id`");
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
    size_t len;
    assert_done(memctx_export(memctx_export_find("shell"), &guest.subject, &got,
                              &len, &err),
                &err);
    assert_non_null(strstr(got, "\nMEMCTX_VERSION=''\\'';touch/tmp/x;'\\''"
                                "$(id)`id`'\n"));
}

static void
json_and_xml_are_the_datum(void **state)
{
    (void)state;
    struct guest guest;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    make_windows(&guest);
    strcpy(guest.datum.kernel.version, "\"<&'\\");
    MEMCTX_CLEANUP(memctx_cleanup_free) char *json = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *xml = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got_json = NULL;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got_xml = NULL;
    size_t len;
    assert_done(memctx_datum_to_json(&guest.datum, &json, &err), &err);
    assert_done(memctx_datum_to_xml(&guest.datum, MEMCTX_PRIVATE, &xml, &err),
                &err);
    assert_done(memctx_export(memctx_export_find("json"), &guest.subject,
                              &got_json, &len, &err),
                &err);
    assert_memory_equal(got_json, json, strlen(json));
    assert_string_equal(got_json + strlen(json), "\n");
    assert_done(memctx_export(memctx_export_find("xml"), &guest.subject,
                              &got_xml, &len, &err),
                &err);
    assert_memory_equal(got_xml, xml, strlen(xml));
    assert_string_equal(got_xml + strlen(xml), "\n");
}

static void
vmcoreinfo_is_the_bare_text(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    assert_text(&guest, "vmcoreinfo", VMCOREINFO);
    /* The length in the note's header is the guest's word. */
    guest.subject.vmcoreinfo_len = 12;
    assert_text(&guest, "vmcoreinfo", "OSRELEASE=6.\n");
    guest.subject.vmcoreinfo = "OSRELEASE=6.1\n\033]0;x\007";
    guest.subject.vmcoreinfo_len = 19;
    assert_refused(&guest, "vmcoreinfo", "the byte 0x1b at 14");
    guest.subject.vmcoreinfo = NULL;
    assert_refused(&guest, "vmcoreinfo", "VMCOREINFO");
    assert_refused(&guest, "drgn", "VMCOREINFO");
    make_windows(&guest);
    assert_refused(&guest, "vmcoreinfo",
                   "json, shell, xml, volatility3, memprocfs, memflow, "
                   "libvmi, and memctx core");
}

/* ---- drgn --------------------------------------------------------------- */

/* What drgn gets is checked where the script runs; here, that nothing but
 * literals of Python changes from guest to guest. */
static void
drgn_gets_every_extent(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    lay_out(&guest, cells, 2);
    assert_has(&guest, "drgn",
               "ARCHITECTURE = \"X86_64\"\nGENERATION = \"2\"\nLIVE = True\n"
               "PATHS = [\n    b'/proc/self/fd/3',\n    b'/proc/self/fd/4',\n"
               "]\nEXTENTS = [  # gpa, size, backend, offset\n"
               "    (0x0, 0x80000000, 0, 0x0),\n"
               "    (0x100000000, 0x80000000, 1, 0x0),\n]\n"
               "VMCOREINFO = (\n    b'OSRELEASE=6.1.0\\x0a'\n"
               "    b'PAGESIZE=4096\\x0a'\n)\n");
    guest.subject.paths = NULL;
    assert_has(&guest, "drgn", "PATHS = None");
    guest.subject.domain = NULL;
    assert_has(&guest, "drgn", "LIVE = False");
}

/* Run what the script does about descriptors, without drgn, in an environment:
 * "" or what it ends with. */
static const char *
descriptors(const char *script, const char *environment)
{
    static const char program[] =
        "import sys,types\n"
        "sys.modules['drgn']=types.ModuleType('drgn')\n"
        "space={'__name__':'x'}\n"
        "exec(open(sys.argv[1]).read(),space)\n"
        "assert space['descriptors']()==[3,4]\n";
    static char said[256];
    char path[] = "/tmp/memctx-drgn.XXXXXX";
    char command[1024];
    MEMCTX_CLEANUP(memctx_cleanup_fd) int fd = mkstemp(path);
    assert_true(write(fd, script, strlen(script)) == (ssize_t)strlen(script));
    snprintf(command, sizeof(command), "%s python3 - %s 2>&1 <<'END'\n%sEND\n",
             environment, path, program);
    FILE *output = popen(command, "r");
    size_t n = fread(said, 1, sizeof(said) - 1, output);
    said[n] = '\0';
    pclose(output);
    unlink(path);
    return said;
}

/* A DIMM that was plugged in since makes no other kernel. */
static void
drgn_takes_descriptors_of_its_layout_only(void **state)
{
    (void)state;
    struct guest guest;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
    size_t len;
    make_linux(&guest);
    lay_out(&guest, cells, 2);
    guest.subject.paths = NULL;
    assert_done(memctx_export(memctx_export_find("drgn"), &guest.subject, &got,
                              &len, &err),
                &err);
#define SINCE "MEMCTX_GENERATION=2 MEMCTX_FDS='3 4' MEMCTX_EXTENTS="
    assert_string_equal(descriptors(got, SINCE "'0x0:0x80000000:0:0x0 "
                                               "0x100000000:0x80000000:1:0x0'"),
                        "");
    assert_non_null(
        strstr(descriptors(got, SINCE "'0x0:0x80000000:0:0x0 "
                                      "0x140000000:0x80000000:1:0x0'"),
               "laid out otherwise"));
    assert_non_null(
        strstr(descriptors(got, "MEMCTX_GENERATION=3 MEMCTX_FDS='3 4'"),
               "another kernel"));
}

static void
drgn_gets_a_hostile_vmcoreinfo_as_literals(void **state)
{
    (void)state;
    struct guest guest;
    static const char text[] = "OSRELEASE=x'+exit()+'\\\nA=\x80\"\"\"\r#";
    make_linux(&guest);
    guest.subject.vmcoreinfo = text;
    guest.subject.vmcoreinfo_len = strlen(text);
    assert_has(&guest, "drgn",
               "VMCOREINFO = (\n"
               "    b'OSRELEASE=x\\x27+exit()+\\x27\\x5c\\x0a'\n"
               "    b'A=\\x80\"\"\"\\x0d#'\n)\n");
}

static void
drgn_takes_neither_windows_nor_32_bits(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    assert_has(&guest, "drgn", "X86_64");
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_PAE;
    assert_refused(&guest, "drgn", "volatility3");
    make_windows(&guest);
    assert_refused(&guest, "drgn", "windows");
}

/* ---- crash -------------------------------------------------------------- */

#define LINUX_HEAD "# Linux 6.1.0-13-amd64, build ID b0d2; still needed: "
#define WINDOWS_HEAD "# Windows 10.0.19045, ntkrnlmp.pdb/8B11/1; still needed: "
#define CRASH_HEAD \
    LINUX_HEAD "its vmlinux with debugging information, as an argument\n"

static void
crash_takes_whole_files(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    lay_out(&guest, cells, 2);
    assert_text(&guest, "crash",
                CRASH_HEAD
                "crash --kaslr 0x18a00000 -m phys_base=0xffffffffd8e00000 "
                "'live:/proc/self/fd/3@0x0,/proc/self/fd/4@0x100000000'\n");
    lay_out(&guest, flat, 1);
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    guest.datum.kernel.linux_facts.kaslr_offset = 0;
    guest.datum.kernel.linux_facts.phys_base = 0;
    guest.subject.domain = NULL;
    guest.subject.paths = one_path;
    assert_text(&guest, "crash",
                CRASH_HEAD
                "crash -m phys_base=0x0 -m vm=5level '/dump/web 1.raw@0x0'\n");
}

static void
crash_takes_no_part_of_a_file(void **state)
{
    (void)state;
    static const struct memctx_extent late[] = {{0, LOW, 0x1000, 0}};
    static const char *const paths[] = {"/a,b"};
    struct guest guest;
    make_linux(&guest);
    assert_refused(&guest, "crash", "memctx core");
    lay_out(&guest, late, 1);
    assert_refused(&guest, "crash", "from its beginning");
    lay_out(&guest, flat, 1);
    guest.subject.paths = paths;
    assert_refused(&guest, "crash", "comma");
}

#define ARM_VMCOREINFO                                             \
    "OSRELEASE=6.1.0\nNUMBER(kimage_voffset)=0xffffb2b107c00000\n" \
    "NUMBER(PHYS_OFFSET)=0xfffffffe40000000\n"

static void
make_arm(struct guest *guest)
{
    static const struct memctx_extent virt[] = {{0x40000000, LOW, 0, 0}};
    struct memctx_linux_facts facts = {
        .has_kaslr_offset = true,
        .kaslr_offset = UINT64_C(0x32b140000000),
        .has_kimage_voffset = true,
        .kimage_voffset = UINT64_C(0xffffb2b107c00000),
    };
    make_linux(guest);
    guest->datum.kernel.paging = MEMCTX_PAGING_AARCH64_4K_48;
    guest->datum.kernel.base_gva = UINT64_C(0xffffb2b148000000);
    guest->datum.kernel.linux_facts = facts;
    guest->subject.vmcoreinfo = ARM_VMCOREINFO;
    guest->subject.vmcoreinfo_len = strlen(ARM_VMCOREINFO);
    lay_out(guest, virt, 1);
}

static void
crash_is_told_where_an_aarch64_kernel_is(void **state)
{
    (void)state;
    struct guest guest;
    make_arm(&guest);
    assert_text(&guest, "crash",
                CRASH_HEAD
                "crash --kaslr 0x32b140000000 "
                "-m kimage_voffset=0xffffb2b107c00000 "
                "-m phys_offset=0xfffffffe40000000 -m vabits_actual=48 "
                "'/proc/self/fd/3@0x40000000'\n");
    /* 5.3: the image is in the lower half. */
    guest.datum.kernel.base_gva = UINT64_C(0xffff000010080000);
    guest.datum.kernel.linux_facts.kaslr_offset = 0;
    assert_text(&guest, "crash",
                CRASH_HEAD
                "crash --kaslr 0x0 -m kimage_voffset=0xffffb2b107c00000 "
                "-m phys_offset=0xfffffffe40000000 "
                "'/proc/self/fd/3@0x40000000'\n");
    guest.datum.kernel.paging = MEMCTX_PAGING_AARCH64_16K_52;
    guest.datum.kernel.base_gva = UINT64_C(0xffff800080000000);
    assert_has(&guest, "crash", " -m vabits_actual=52 ");
}

static void
crash_of_aarch64_wants_vmcoreinfo(void **state)
{
    (void)state;
    struct guest guest;
    make_arm(&guest);
    guest.subject.vmcoreinfo = VMCOREINFO;
    guest.subject.vmcoreinfo_len = strlen(VMCOREINFO);
    assert_refused(&guest, "crash", "memctx core");
    guest.subject.vmcoreinfo = NULL;
    assert_refused(&guest, "crash", "memctx core");
}

/* ---- Volatility 3 ------------------------------------------------------- */

static const char volatility_flat[] =
    "{\n"
    "  \"memctx.kernel\":\"Windows 10.0.19045, ntkrnlmp.pdb/8B11/1\",\n"
    "  \"memctx.needed\":\"a symbol table of this PDB\",\n"
    "  \"kernel.class\":\"volatility3.framework.contexts.Module\",\n"
    "  \"kernel.offset\":272692076871680,\n"
    "  \"kernel.layer_name.class\":"
    "\"volatility3.framework.layers.intel.WindowsIntel32e\",\n"
    "  \"kernel.layer_name.page_map_offset\":1757184,\n"
    "  \"kernel.layer_name.kernel_virtual_offset\":272692076871680,\n"
    "  \"kernel.layer_name.memory_layer.class\":"
    "\"volatility3.framework.layers.physical.FileLayer\",\n"
    "  \"kernel.layer_name.memory_layer.location\":"
    "\"file:///dump/web%201.raw\"\n"
    "}\n";

static const char volatility_cells[] =
    "{\n"
    "  \"memctx.kernel\":\"Linux 6.1.0-13-amd64, build ID b0d2\",\n"
    "  \"memctx.needed\":\"a symbol table of this kernel: memctx export "
    "--format isf\",\n"
    "  \"kernel.class\":\"volatility3.framework.contexts.Module\",\n"
    "  \"kernel.offset\":413138944,\n"
    "  \"kernel.layer_name.class\":"
    "\"volatility3.framework.layers.intel.Intel32e\",\n"
    "  \"kernel.layer_name.page_map_offset\":109051904,\n"
    "  \"kernel.layer_name.kernel_virtual_offset\":413138944,\n"
    "  \"kernel.layer_name.memory_layer.class\":"
    "\"volatility3.plugins.memctx_layer.MemctxLayer\",\n"
    "  \"kernel.layer_name.memory_layer.runs\":"
    "\"0:0x0:0x0:0x80000000,1:0x100000000:0x0:0x80000000\",\n"
    "  \"kernel.layer_name.memory_layer.files\":"
    "\"/proc/self/fd/3 /proc/self/fd/4\"\n"
    "}\n";

static void
volatility_gets_a_configuration(void **state)
{
    (void)state;
    struct guest guest;
    make_windows(&guest);
    lay_out(&guest, flat, 1);
    guest.subject.paths = one_path;
    assert_text(&guest, "volatility3", volatility_flat);
    make_linux(&guest);
    lay_out(&guest, cells, 2);
    assert_text(&guest, "volatility3", volatility_cells);
}

/* The guest's bytes are characters there, with the NUL behind them. */
static void
volatility_gets_the_banner_of_a_linux(void **state)
{
    (void)state;
    struct guest guest;
    const struct memctx_banner banner = {.gva = 1,
                                         .text = "Linux version 6.1 \"\xe9\n"};
    make_linux(&guest);
    guest.subject.banner = &banner;
    assert_has(&guest, "volatility3",
               "\"kernel.layer_name.kernel_banner\":"
               "\"Linux version 6.1 \\\"\xc3\xa9\\n\\u0000\",\n");
    make_windows(&guest);
    guest.subject.banner = &banner;
    assert_has_not(&guest, "volatility3", "kernel_banner");
}

static void
volatility_is_refused_what_it_cannot_walk(void **state)
{
    (void)state;
    struct guest guest;
    make_linux(&guest);
    guest.datum.kernel.linux_facts.has_kaslr_offset = false;
    assert_refused(&guest, "volatility3", "distance");
    make_windows(&guest);
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_64_5LEVEL;
    assert_refused(&guest, "volatility3", "x86_64-5level");
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_PAE;
    assert_has(&guest, "volatility3", ".WindowsIntelPAE");
    assert_has(&guest, "volatility3", "\"kernel.offset\":308281344,");
}

/* ---- MemProcFS ---------------------------------------------------------- */

#define MEMPROCFS_HEAD \
    WINDOWS_HEAD       \
    "-mount DIR; symbols of this PDB, for some of what it shows\n"

static void
memprocfs_gets_a_map(void **state)
{
    (void)state;
    struct guest guest;
    make_windows(&guest);
    assert_text(&guest, "memprocfs",
                MEMPROCFS_HEAD
                "memprocfs -device 'file://file=/proc/self/fd/3,volatile=1' "
                "-memmap-str '0 7fffffff\n100000000 17fffffff 80000000' "
                "-dtb 0x1ad000 -arch x64\n");
    lay_out(&guest, moved, 1);
    guest.subject.domain = NULL;
    guest.datum.kernel.paging = MEMCTX_PAGING_X86_PAE;
    assert_text(&guest, "memprocfs",
                MEMPROCFS_HEAD
                "memprocfs -device 'file://file=/proc/self/fd/3' "
                "-memmap-str '100000000 17fffffff 8000000000000000' "
                "-dtb 0x1ad000 -arch x86pae\n");
}

static void
memprocfs_takes_one_file_and_a_short_map(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a;b"};
    struct memctx_extent many[100];
    struct guest guest;
    make_windows(&guest);
    lay_out(&guest, cells, 2);
    assert_refused(&guest, "memprocfs", "memctx core");
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(many); i++)
        many[i] =
            (struct memctx_extent){HIGH + i * 0x2000, 0x1000, i * 0x1000, 0};
    lay_out(&guest, many, MEMCTX_ARRAY_LEN(many));
    assert_refused(&guest, "memprocfs", "memctx core");
    lay_out(&guest, flat, 1);
    guest.subject.paths = paths;
    assert_refused(&guest, "memprocfs", "no path with");
}

/* ---- memflow and LibVMI ------------------------------------------------- */

static void
memflow_gets_numbers_without_0x(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a:b"};
    struct guest guest;
    make_windows(&guest);
    assert_refused(&guest, "memflow", "memctx core");
    lay_out(&guest, flat, 1);
    assert_text(&guest, "memflow",
                WINDOWS_HEAD
                "its plugins rawmem and win32\n"
                "MEMFLOW_CONNECTOR='rawmem:/proc/self/fd/3:base=0x0'\n"
                "MEMFLOW_OS='win32::arch=x64,dtb=1ad000,"
                "kernel_hint=fffff80312600000'\n");
    guest.subject.paths = paths;
    assert_refused(&guest, "memflow", "colon");
    make_linux(&guest);
    assert_refused(&guest, "memflow", "linux");
}

static void
libvmi_gets_an_entry(void **state)
{
    (void)state;
    static const struct memctx_taskfields tasks = {
        .init_task_gva = UINT64_C(0xffffffff9aa1a940),
        .tasks = 0x8b8,
        .mm = 0x908,
        .pid = 0x9b0,
        .comm = 0xb68,
        .pgd = 0x48,
    };
    struct guest guest;
    make_windows(&guest);
    guest.subject.paths = NULL;
    guest.subject.base_gpa = 0x2600000;
    assert_text(&guest, "libvmi",
                WINDOWS_HEAD "a profile of this PDB (volatility_ist), for "
                             "symbols by name\n"
                             "web1 {\n"
                             "    ostype = \"Windows\";\n"
                             "    pagemode = \"VMI_PM_IA32E\";\n"
                             "    kpgd = 0x1ad000;\n"
                             "    win_ntoskrnl = 0x2600000;\n"
                             "    win_ntoskrnl_va = 0xfffff80312600000;\n"
                             "    win_pdbase = 0x28;\n"
                             "    win_pid = 0x440;\n"
                             "    win_tasks = 0x448;\n"
                             "    win_pname = 0x5a8;\n"
                             "}\n");
    make_linux(&guest);
    guest.subject.tasks = &tasks;
    assert_text(&guest, "libvmi",
                LINUX_HEAD "sysmap (memctx symbols --format system-map), for "
                           "symbols by name\n"
                           "web1 {\n"
                           "    ostype = \"Linux\";\n"
                           "    pagemode = \"VMI_PM_IA32E\";\n"
                           "    kpgd = 0x6800000;\n"
                           "    linux_kaslr = 0x18a00000;\n"
                           "    linux_init_task = 0xffffffff9aa1a940;\n"
                           "    linux_tasks = 0x8b8;\n"
                           "    linux_mm = 0x908;\n"
                           "    linux_pid = 0x9b0;\n"
                           "    linux_name = 0xb68;\n"
                           "    linux_pgd = 0x48;\n"
                           "}\n");
    guest.subject.tasks = NULL;
    assert_begins(&guest, "libvmi", LINUX_HEAD "sysmap, linux_tasks, ");
    assert_has_not(&guest, "libvmi", "linux_init_task");
}

static void
libvmi_takes_only_names_that_its_lexer_does(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",     "a",   "42",  "0x1f", "kpgd", "ostype", "_ab",      "a b",
        "a\"b", "a{b", "a/b", "-a",   "a;b",  "ab\nkp", "pagemode", "win_kdbg",
    };
    static const char *const taken[] = {"42a", "0x", "0x1g", "a.b", "kpgd2"};
    struct guest guest;
    make_linux(&guest);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(refused); i++) {
        guest.subject.domain = refused[i];
        assert_refused(&guest, "libvmi", "LibVMI's configuration");
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(taken); i++) {
        guest.subject.domain = taken[i];
        assert_has(&guest, "libvmi", taken[i]);
    }
    guest.subject.domain = "5a2e0c7e-1f5b-4a52-9d5e-6d1b2a3c4d5e";
    guest.subject.name = "web1"; /* it was named by its UUID */
    assert_has(&guest, "libvmi", "\nweb1 {\n");
    static const char *const paths[] = {"/dump/ram.raw"};
    guest.subject.domain = NULL;
    guest.subject.paths = paths;
    assert_has(&guest, "libvmi", "ram.raw {\n");
}

/* ---- all ---------------------------------------------------------------- */

/* In a line, where a tool has comments; nothing of a file with RAM, whose
 * kernel nobody takes for one that runs. */
static void
a_kernel_that_stands_still_is_told_in_a_comment(void **state)
{
    static const char *const comments[] = {"crash", "memprocfs", "libvmi"};
    struct guest guest;
    (void)state;
    make_linux(&guest);
    lay_out(&guest, flat, 1);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(comments); i++) {
        guest.datum.live = MEMCTX_LIVE_RUNS;
        assert_has_not(&guest, comments[i], "live=");
        guest.datum.live = MEMCTX_LIVE_NO;
        assert_has(&guest, comments[i],
                   "\n# live=no: this kernel stands still\n");
        guest.datum.live = MEMCTX_LIVE_UNKNOWN;
        assert_has(&guest, comments[i], "\n# live=unknown: it is not known ");
        assert_begins(&guest, comments[i], LINUX_HEAD);
    }
    assert_begins(&guest, "drgn", "#!/usr/bin/env python3\n");
    assert_has(&guest, "drgn", "\n# live=unknown: ");
    assert_has(&guest, "volatility3", "\"memctx.live\":\"unknown\"");
    assert_has(&guest, "shell", "\nMEMCTX_LIVE='unknown'\n");
    assert_has(&guest, "json", "\"live\":\"unknown\"");
    assert_has(&guest, "xml", " live=\"unknown\"");
    guest.subject.domain = NULL;
    assert_has_not(&guest, "crash", "live=");
    assert_has_not(&guest, "drgn", "live=");
    assert_has_not(&guest, "volatility3", "live");
    make_windows(&guest);
    lay_out(&guest, flat, 1);
    guest.datum.live = MEMCTX_LIVE_NO;
    assert_has(&guest, "memflow", "\n# live=no: ");
}

/* ---- types -------------------------------------------------------------- */

static void
btf_is_what_the_kernel_has(void **state)
{
    (void)state;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
    struct btfimg *img = calloc(1, sizeof(*img));
    struct guest guest;
    size_t len = 0;
    size_t wanted;
    make_linux(&guest);
    btfimg_init(img);
    btfimg_int(img, "int", 4);
    struct memctx_btf *btf = btfimg_open(img);
    guest.subject.btf = btf;
    assert_done(memctx_export(memctx_export_find("btf"), &guest.subject, &got,
                              &len, &err),
                &err);
    const unsigned char *bytes = memctx_btf_bytes(btf, &wanted);
    assert_int_equal(len, wanted);
    assert_memory_equal(got, bytes, wanted);
    memctx_btf_destroy(btf);
    free(img);
    make_windows(&guest);
    assert_refused(&guest, "btf", "btf takes no windows");
}

static int
refuse(void *arg, const void *bytes, size_t len_bytes, struct memctx_error *err)
{
    (void)arg;
    (void)bytes;
    return memctx_error_set(err, MEMCTX_GONE, "no room for %zu", len_bytes);
}

static void
a_sink_may_refuse(void **state)
{
    (void)state;
    const struct memctx_sink sink = {refuse, NULL};
    struct memctx_error err = MEMCTX_ERROR_INIT;
    struct guest guest;
    make_linux(&guest);
    assert_int_equal(memctx_export_to(memctx_export_find("json"),
                                      &guest.subject, &sink, &err),
                     -1);
    assert_error(&err, MEMCTX_GONE, "no room for");
}

static void
without_a_path_it_is_said_what_to_do(void **state)
{
    (void)state;
    static const char *const formats[] = {"volatility3", "memprocfs",
                                          "memflow"};
    struct guest guest;
    make_windows(&guest);
    guest.subject.paths = NULL;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(formats); i++)
        assert_refused(&guest, formats[i], "memctx exec");
    make_linux(&guest);
    guest.subject.paths = NULL;
    assert_refused(&guest, "crash", "memctx exec");
}

/* No descriptor leads to it, below memctx exec neither. */
static void
of_memory_of_qemus_own_it_is_said_at_once(void **state)
{
    (void)state;
    static const char *const formats[] = {"crash", "drgn", "volatility3"};
    struct guest guest;
    make_linux(&guest);
    guest.subject.paths = NULL;
    guest.subject.has_own_memory = true;
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(formats); i++)
        assert_refused(&guest, formats[i],
                       "QEMU's own memory: use memctx core");
}

/* Volatility finds nothing where there are 5 levels, and says nothing. */
static void
a_core_is_read_by_who_knows_its_paging(void **state)
{
    (void)state;
    struct guest guest;
    char names[96];
    make_linux(&guest);
    struct memctx_kernel *kernel = &guest.datum.kernel;
    memctx_readers_names(kernel, names, sizeof(names));
    assert_string_equal(
        names, "drgn, crash, gdb, makedumpfile, volatility3, memprocfs");
    kernel->paging = MEMCTX_PAGING_X86_64_5LEVEL;
    memctx_readers_names(kernel, names, sizeof(names));
    assert_string_equal(names, "drgn, crash, gdb, makedumpfile");
    assert_false(memctx_readers_take("volatility3", kernel));
    assert_true(memctx_readers_take("crash", kernel));
    assert_false(memctx_readers_take("other", kernel));
    kernel->paging = MEMCTX_PAGING_AARCH64_4K_48;
    assert_false(memctx_readers_take("gdb", kernel));
    make_windows(&guest);
    memctx_readers_names(kernel, names, sizeof(names));
    assert_string_equal(names, "volatility3, memprocfs");
    kernel->paging = MEMCTX_PAGING_X86_64_5LEVEL;
    memctx_readers_names(kernel, names, sizeof(names));
    assert_string_equal(names, "");
}

/* Does a name begin with one of these words? */
static bool
begins_with_one(const char *name, const char *words)
{
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        if (strncmp(name, words, len) == 0)
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

/* A paging that is added and forgotten there is taken by none of them. */
static void
each_tool_takes_the_pagings_that_it_knows(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        const char *pagings; /* beginnings of their names */
    } rows[] = {
        {"json", "x86 aarch64"},
        {"shell", "x86 aarch64"},
        {"xml", "x86 aarch64"},
        {"vmcoreinfo", "x86 aarch64"},
        {"drgn", "x86_64- aarch64-"},
        {"crash", "x86_64- aarch64-"},
        {"volatility3", "x86_64-4level x86-"},
        {"memprocfs", "x86_64-4level x86-"},
        {"libvmi", "x86_64-4level x86- aarch64-4k-48"},
    };
    struct guest guest;
    make_linux(&guest);
    for (unsigned p = 1; p < MEMCTX_PAGINGS; p++) {
        guest.datum.kernel.paging = (enum memctx_paging)p;
        const char *name = memctx_paging_name((enum memctx_paging)p);
        for (size_t i = 0; i < MEMCTX_ARRAY_LEN(rows); i++) {
            struct memctx_error err = MEMCTX_ERROR_INIT;
            MEMCTX_CLEANUP(memctx_cleanup_free) char *got = NULL;
            size_t len;
            bool taken = memctx_export(memctx_export_find(rows[i].format),
                                       &guest.subject, &got, &len, &err) == 0 ||
                         strstr(err.message, "takes no linux with") == NULL;
            if (taken != begins_with_one(name, rows[i].pagings))
                fail_msg("%s: %s", rows[i].format, name);
        }
    }
}

static void
only_some_want_ram(void **state)
{
    (void)state;
    static const char *const without[] = {"json", "xml"};
    static const char *const with[] = {
        "shell",   "vmcoreinfo", "drgn", "crash", "volatility3", "memprocfs",
        "memflow", "libvmi",     "btf",  "elf",   "isf"};
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(without); i++)
        assert_int_equal(memctx_export_wants(memctx_export_find(without[i])),
                         0);
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(with); i++) {
        const struct memctx_export_format *format = memctx_export_find(with[i]);
        unsigned needs = memctx_export_needs(format);
        assert_true((needs & MEMCTX_EXPORT_RAM) != 0);
        assert_int_equal(needs & ~memctx_export_wants(format), 0);
    }
}

static void
names_are_known_and_listed(void **state)
{
    (void)state;
    char names[160];
    char little[8];
    assert_null(memctx_export_find("gdb"));
    assert_null(memctx_export_find(""));
    memctx_export_names(names, sizeof(names));
    assert_string_equal(
        names, "json, shell, xml, vmcoreinfo, drgn, crash, "
               "volatility3, memprocfs, memflow, libvmi, btf, elf, isf");
    memctx_export_names(little, sizeof(little));
    assert_string_equal(little, "json, s");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shell_gets_what_is_known_and_loses_the_rest),
        cmocka_unit_test(a_hostile_version_is_one_word_of_the_shell),
        cmocka_unit_test(json_and_xml_are_the_datum),
        cmocka_unit_test(vmcoreinfo_is_the_bare_text),
        cmocka_unit_test(drgn_gets_every_extent),
        cmocka_unit_test(drgn_takes_descriptors_of_its_layout_only),
        cmocka_unit_test(drgn_gets_a_hostile_vmcoreinfo_as_literals),
        cmocka_unit_test(drgn_takes_neither_windows_nor_32_bits),
        cmocka_unit_test(crash_takes_whole_files),
        cmocka_unit_test(crash_takes_no_part_of_a_file),
        cmocka_unit_test(crash_is_told_where_an_aarch64_kernel_is),
        cmocka_unit_test(crash_of_aarch64_wants_vmcoreinfo),
        cmocka_unit_test(volatility_gets_a_configuration),
        cmocka_unit_test(volatility_gets_the_banner_of_a_linux),
        cmocka_unit_test(volatility_is_refused_what_it_cannot_walk),
        cmocka_unit_test(memprocfs_gets_a_map),
        cmocka_unit_test(memprocfs_takes_one_file_and_a_short_map),
        cmocka_unit_test(memflow_gets_numbers_without_0x),
        cmocka_unit_test(libvmi_gets_an_entry),
        cmocka_unit_test(btf_is_what_the_kernel_has),
        cmocka_unit_test(a_sink_may_refuse),
        cmocka_unit_test(libvmi_takes_only_names_that_its_lexer_does),
        cmocka_unit_test(a_kernel_that_stands_still_is_told_in_a_comment),
        cmocka_unit_test(a_core_is_read_by_who_knows_its_paging),
        cmocka_unit_test(without_a_path_it_is_said_what_to_do),
        cmocka_unit_test(of_memory_of_qemus_own_it_is_said_at_once),
        cmocka_unit_test(each_tool_takes_the_pagings_that_it_knows),
        cmocka_unit_test(only_some_want_ram),
        cmocka_unit_test(names_are_known_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
