/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Runs a fuzz target over the files of the directories given as arguments, so
 * that make check sees the corpus without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define INPUT_MAX (1024u * 1024)

static void
run_file(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    /* Exactly as long as the input, so that ASan and valgrind see its end. */
    uint8_t *input = malloc(INPUT_MAX);
    size_t size = fread(input, 1, INPUT_MAX, file);
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, input, size);
    fclose(file);
    free(input);
    fuzz_one(exact, size);
    free(exact);
}

static unsigned
run_directory(const char *directory)
{
    unsigned count = 0;
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        perror(directory);
        exit(1);
    }
    for (struct dirent *e = readdir(entries); e != NULL; e = readdir(entries)) {
        if (e->d_name[0] == '.')
            continue;
        run_file(directory, e->d_name);
        count++;
    }
    closedir(entries);
    return count;
}

int
main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += run_directory(argv[i]);
    printf("%s: %u inputs\n", argv[0], count);
    return count > 0 ? 0 : 1;
}
