/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Which command fetches the debugging information of which kernel. */
#include "unit.h"

#include "export/debuginfo.h"

#define BUILD_ID "01d2640d3a13145ee314eb05b155f141b7b7058b"
#define GUID "8B11040A5928757B11390AC78F6B6925"

static struct memctx_kernel
linux_kernel(const char *release, const char *build_id)
{
    struct memctx_kernel kernel = {.os = MEMCTX_OS_LINUX};
    snprintf(kernel.version, sizeof(kernel.version), "%s", release);
    snprintf(kernel.identity, sizeof(kernel.identity), "%s", build_id);
    return kernel;
}

/* The commands, a line each. */
static void
assert_commands(const struct memctx_kernel *kernel, const char *wanted)
{
    struct memctx_debuginfo ways[MEMCTX_DEBUGINFO_MAX];
    char got[1024] = "";
    size_t n = memctx_debuginfo_find(kernel, ways);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(got);
        snprintf(got + len, sizeof(got) - len, "%s\n", ways[i].command);
        memctx_debuginfo_deinit(&ways[i]);
    }
    assert_string_equal(got, wanted);
}

static void
assert_file(const char *release, const char *wanted)
{
    struct memctx_debuginfo ways[MEMCTX_DEBUGINFO_MAX];
    struct memctx_kernel kernel = linux_kernel(release, "");
    assert_int_equal(memctx_debuginfo_find(&kernel, ways), 1);
    assert_string_equal(ways[0].file, wanted);
    memctx_debuginfo_deinit(&ways[0]);
}

static void
test_debian(void **state)
{
    (void)state;
    struct memctx_kernel kernel =
        linux_kernel("6.1.0-57-cloud-amd64", BUILD_ID);
    assert_commands(&kernel,
                    "apt install linux-image-6.1.0-57-cloud-amd64-dbg\n"
                    "DEBUGINFOD_URLS=https://debuginfod.debian.net/ "
                    "debuginfod-find debuginfo " BUILD_ID "\n");
    assert_file("6.12.43+deb13-arm64",
                "/usr/lib/debug/boot/vmlinux-6.12.43+deb13-arm64");
}

static void
test_fedora_and_red_hat(void **state)
{
    (void)state;
    struct memctx_kernel fedora = linux_kernel("6.5.6-300.fc39.x86_64", "");
    struct memctx_kernel red_hat =
        linux_kernel("5.14.0-427.el9.x86_64", BUILD_ID);
    assert_commands(&fedora, "dnf --enablerepo='*debug*' install "
                             "kernel-debuginfo-6.5.6-300.fc39.x86_64\n");
    assert_commands(&red_hat, "dnf --enablerepo='*debug*' install "
                              "kernel-debuginfo-5.14.0-427.el9.x86_64\n"
                              "debuginfod-find debuginfo " BUILD_ID "\n");
    assert_file("6.5.6-300.fc39.x86_64",
                "/usr/lib/debug/lib/modules/6.5.6-300.fc39.x86_64/vmlinux");
}

static void
test_ubuntu(void **state)
{
    (void)state;
    struct memctx_kernel kernel = linux_kernel("6.8.0-45-generic", "");
    assert_commands(
        &kernel, "apt install linux-image-unsigned-6.8.0-45-generic-dbgsym\n");
}

static void
test_kernel_of_ones_own(void **state)
{
    (void)state;
    struct memctx_kernel kernel = linux_kernel("7.2.0-mine", BUILD_ID);
    struct memctx_kernel bare = linux_kernel("7.2.0-mine", "");
    assert_commands(&kernel, "debuginfod-find debuginfo " BUILD_ID "\n");
    assert_commands(&bare, "");
}

/* The guest chooses the name of its release. */
static void
test_release_is_quoted(void **state)
{
    (void)state;
    struct memctx_kernel kernel = linux_kernel("6;reboot'$(id)-amd64", "");
    assert_commands(&kernel, "apt install "
                             "'linux-image-6;reboot'\\''$(id)-amd64-dbg'\n");
}

static void
test_windows(void **state)
{
    (void)state;
    struct memctx_kernel kernel = {.os = MEMCTX_OS_WINDOWS,
                                   .version = "10.0.19045",
                                   .identity = "ntkrnlmp.pdb/" GUID "/1"};
    struct memctx_kernel bare = {.os = MEMCTX_OS_WINDOWS};
    assert_commands(&kernel,
                    "curl -fLO https://msdl.microsoft.com/download/symbols/"
                    "ntkrnlmp.pdb/" GUID "1/ntkrnlmp.pdb\n");
    assert_commands(&bare, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debian),
        cmocka_unit_test(test_fedora_and_red_hat),
        cmocka_unit_test(test_ubuntu),
        cmocka_unit_test(test_kernel_of_ones_own),
        cmocka_unit_test(test_release_is_quoted),
        cmocka_unit_test(test_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
