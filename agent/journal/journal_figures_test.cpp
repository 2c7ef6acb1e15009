// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal_figures.hpp"

#include <gtest/gtest.h>

#include "agent/journal/full_disk.hpp"
#include "agent/journal/journal.hpp"
#include "agent/journal/scratch_folder.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

class JournalFiguresTest : public testing::Test {
 protected:
  JournalFiguresTest() { open(); }

  void open() {
    JournalSettings settings;
    settings.ack_hosts = {"centre"};
    settings.max_memory_bytes = 64 * 1024;
    journal_.reset();
    journal_ = *Journal::open(folder_.path() / "journal.sqlite", settings, clock_, Log::quiet());
  }
  void append(const std::string& payload) {
    journal_->append("th1", payload, Urgency::routine);
    journal_->seal();
  }

  ScratchFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalFiguresTest, AnEmptyJournalWaitsForNobody) {
  const JournalFigures now = journal_->figures();
  EXPECT_EQ(now.health, JournalHealth::durable);
  EXPECT_EQ(now.waiting, 0u);
  EXPECT_EQ(now.oldest_at, std::nullopt);
  EXPECT_EQ(now.commits, 0u);
}

TEST_F(JournalFiguresTest, TellTheOldestRecordThatAHostLacks) {
  const Timestamp first = clock_.now();
  append("a");
  EXPECT_EQ(journal_->figures().oldest_at, first) << "not on disk yet, and waiting all the same";
  EXPECT_EQ(journal_->figures().waiting, 1u);
  EXPECT_GT(journal_->figures().memory_bytes, 0u);
  ASSERT_TRUE(journal_->commit());
  clock_.advance(5s);
  const Timestamp second = clock_.now();
  append("b");
  ASSERT_TRUE(journal_->commit());
  JournalFigures now = journal_->figures();
  EXPECT_EQ(now.waiting, 2u);
  EXPECT_EQ(now.oldest_at, first);
  EXPECT_EQ(now.memory_bytes, 0u);
  EXPECT_EQ(now.commits, 2u);
  EXPECT_EQ(now.appended, 2u);
  EXPECT_GT(now.committed_bytes, 0u);
  EXPECT_GT(now.file_bytes, 0u);
  ASSERT_TRUE(journal_->acknowledge("centre", 1));
  now = journal_->figures();
  EXPECT_EQ(now.waiting, 1u);
  EXPECT_EQ(now.oldest_at, second);
  ASSERT_TRUE(journal_->acknowledge("centre", 2));
  EXPECT_EQ(journal_->figures().waiting, 0u);
  EXPECT_EQ(journal_->figures().oldest_at, std::nullopt);
}

TEST_F(JournalFiguresTest, KnowTheOldestRecordOfAnEarlierLife) {
  const Timestamp first = clock_.now();
  append("a");
  ASSERT_TRUE(journal_->commit());
  clock_.advance(1h);
  open();
  EXPECT_EQ(journal_->figures().oldest_at, first);
  EXPECT_EQ(journal_->figures().waiting, 1u);
}

TEST_F(JournalFiguresTest, ADiskThatRefusesShowsInHealthFailuresAndLosses) {
  append("a");
  ASSERT_TRUE(journal_->commit());
  {
    const FullDisk full{1};
    for (int i = 0; i < 8; ++i) append(std::string(16 * 1024, 'x'));
    EXPECT_FALSE(journal_->commit());
    const JournalFigures now = journal_->figures();
    EXPECT_EQ(now.health, JournalHealth::failing);
    EXPECT_EQ(now.failed_commits, 1u);
    EXPECT_EQ(now.commits, 1u);
    EXPECT_GT(now.lost, 0u);
    EXPECT_LE(now.memory_bytes, 64u * 1024);
  }
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(journal_->figures().health, JournalHealth::durable);
  EXPECT_EQ(journal_->figures().commits, 2u);
}

}  // namespace
}  // namespace watchroom::agent
