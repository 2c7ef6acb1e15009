// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/notifier.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agent/journal/scratch_folder.hpp"
#include "agent/self/notify_peer.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

TEST(Notifier, SpeaksToASocketInTheFileSystem) {
  const ScratchFolder folder;
  NotifyPeer manager{(folder.path() / "notify").string()};
  const Notifier notifier = Notifier::from_environment();
  EXPECT_TRUE(notifier.is_heard());
  notifier.ready();
  EXPECT_EQ(manager.next(), "READY=1");
  notifier.status("2 台设备");
  EXPECT_EQ(manager.next(), "STATUS=2 台设备");
  notifier.reloading(Steady{1234ms});
  EXPECT_EQ(manager.next(), "RELOADING=1\nMONOTONIC_USEC=1234000");
  notifier.watchdog();
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  notifier.stopping();
  EXPECT_EQ(manager.next(), "STOPPING=1");
}

TEST(Notifier, SpeaksToAnAbstractSocket) {
  NotifyPeer manager{fmt::format("@watchroom-test-{}", ::getpid())};
  const Notifier notifier = Notifier::from_environment();
  notifier.ready();
  EXPECT_EQ(manager.next(), "READY=1");
}

TEST(Notifier, TakesTheWatchdogsTimeOutWhenItIsMeant) {
  NotifyPeer manager{fmt::format("@watchroom-test-{}", ::getpid())};
  EXPECT_EQ(Notifier::from_environment().watchdog_timeout(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(Notifier::from_environment().watchdog_timeout(), 30s);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(Notifier::from_environment().watchdog_timeout(), 30s);
  ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
  EXPECT_EQ(Notifier::from_environment().watchdog_timeout(), std::nullopt) << "somebody else's";
  ::unsetenv("WATCHDOG_PID");
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(Notifier::from_environment().watchdog_timeout(), std::nullopt);
}

TEST(Notifier, WithoutAManagerItSaysNothingAndDoesNoHarm) {
  const Notifier none = Notifier::from_environment();
  EXPECT_FALSE(none.is_heard());
  none.ready();
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  for (const std::string name : {"/no/such/socket", "relative", "@", "", "/"}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const Notifier nobody = Notifier::from_environment();
    EXPECT_FALSE(nobody.is_heard()) << name;
    EXPECT_EQ(nobody.watchdog_timeout(), std::nullopt) << name;
    nobody.stopping();
  }
  const std::string too_long = "/" + std::string(200, 'x');
  ::setenv("NOTIFY_SOCKET", too_long.c_str(), 1);
  EXPECT_FALSE(Notifier::from_environment().is_heard());
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace watchroom::agent
