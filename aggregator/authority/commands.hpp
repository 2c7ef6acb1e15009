// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

namespace CLI {
class App;
}

namespace watchroom::aggregator {

/// `watchroom-aggregator authority init | issue-host | issue-server | issue-client`: what a house needs
/// before broker and aggregator run for the first time; `rotate-signing-key` and `revoke`, at any time. Each
/// leaves its exit code in `status`.
void declare_authority_commands(CLI::App& app, int& status);

}  // namespace watchroom::aggregator
