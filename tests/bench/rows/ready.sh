# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW an agent with Linux guests that idle: CPU and memory

row_ready() { guests_in ready; }
