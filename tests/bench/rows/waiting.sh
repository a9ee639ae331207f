# shellcheck shell=bash disable=SC2034,SC2154 # variables of run.sh and watch.sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (C) 2026 the memctxd authors
# ROW an agent with guests that have no kernel: CPU and memory

# They sit in cli; hlt, so that they take no CPU from the agent.
row_waiting() { guests_in waiting boot=halt; }
