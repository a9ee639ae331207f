# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# Builds the fuzz targets with clang, each file of src/ once for all of them.
# tests/fuzz.sh calls it, in the directory that the result goes into.
#   SRC   the source tree, absolute
#   FOR   fuzz: libFuzzer and the sanitizers; cover: replays that count lines
CC = clang
PACKAGES = libxml-2.0 json-c
CPPFLAGS := -D_GNU_SOURCE -I$(SRC)/src -I$(SRC)/tests/support \
	-DSYSCONFDIR='"/etc"' -DPACKAGE_VERSION='"fuzz"' \
	$(shell pkg-config --cflags $(PACKAGES))
CFLAGS = -std=gnu11 -g -O2 $(INSTRUMENT)
LDLIBS := $(shell pkg-config --libs $(PACKAGES))

SANITIZE = address,undefined -fno-sanitize-recover=undefined
ifeq ($(FOR),cover)
INSTRUMENT = -fprofile-instr-generate -fcoverage-mapping
LINK = $(INSTRUMENT)
MAIN = replay
else
INSTRUMENT = -fsanitize=fuzzer-no-link,$(SANITIZE)
LINK = -fsanitize=fuzzer,$(SANITIZE)
MAIN = libfuzzer
endif

# Every word of RAM passes through comparisons in these rooms. To report each
# to libFuzzer takes most of the time, and floods what it learns from them.
SCANNING = src/guest src/paging src/ram src/search tests/support
$(foreach room,$(SCANNING),obj/$(room)/%.o): INSTRUMENT += $(UNCOMPARED)
ifneq ($(FOR),cover)
UNCOMPARED = -fno-sanitize-coverage=trace-cmp
endif

TARGETS = $(patsubst $(SRC)/tests/fuzz/fuzz_%.c,%,$(wildcard $(SRC)/tests/fuzz/fuzz_*.c))
MUTATORS = $(patsubst $(SRC)/tests/fuzz/%.c,%,$(wildcard $(SRC)/tests/fuzz/mutate_*.c))
ENTRIES = $(TARGETS:%=fuzz_%) $(MUTATORS) libfuzzer replay takepages
SHARED = $(filter-out $(ENTRIES),$(patsubst $(SRC)/tests/fuzz/%.c,%,$(wildcard $(SRC)/tests/fuzz/*.c)))
SOURCES = $(wildcard $(SRC)/src/*/*.c $(SRC)/src/*/*/*.c $(SRC)/tests/support/*img.c $(SRC)/tests/support/mem*.c) \
	$(SHARED:%=$(SRC)/tests/fuzz/%.c)

all: $(TARGETS)

# Some have their own way to change an input.
ifneq ($(FOR),cover)
$(MUTATORS:mutate_%=%): %: obj/tests/fuzz/mutate_%.o
endif

$(TARGETS): %: obj/tests/fuzz/fuzz_%.o obj/tests/fuzz/$(MAIN).o libsrc.a
	$(CC) $(LINK) -o $@ $^ $(LDLIBS)

libsrc.a: $(SOURCES:$(SRC)/%.c=obj/%.o)
	rm -f $@
	ar rcs $@ $^

obj/%.o: $(SRC)/%.c $(SRC)/tests/fuzz/build.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find obj -name '*.d' 2> /dev/null)

.PHONY: all
.SECONDARY:
