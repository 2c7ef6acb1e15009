// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal.hpp"

#include <csignal>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/journal/full_disk.hpp"
#include "agent/journal/noise.hpp"
#include "agent/journal/scratch_folder.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// One agent's journal over several lives of the process.
class JournalTest : public testing::Test {
 protected:
  JournalTest() { settings_.ack_hosts = {"centre"}; }

  Journal& open() {
    journal_.reset();
    journal_ = *Journal::open(folder_.path() / "journal.sqlite", settings_, clock_, Log::quiet());
    return *journal_;
  }
  void append(int count, Urgency urgency = Urgency::routine) {
    for (int i = 0; i < count; ++i) {
      journal_->append("th1", fmt::format("payload {}", journal_->last_appended() + 1), urgency);
      journal_->seal();
    }
  }
  void append_and_commit(int count) {
    append(count);
    ASSERT_TRUE(journal_->commit());
  }
  std::vector<std::uint64_t> kept() {
    std::vector<std::uint64_t> numbers;
    const auto records = journal_->read({1, 1'000'000}, 1'000'000, {});
    for (const JournalRecord& record : *records) {
      EXPECT_EQ(record.payload, fmt::format("payload {}", record.number));
      numbers.push_back(record.number);
    }
    return numbers;
  }

  ScratchFolder folder_;
  FakeClock clock_;
  JournalSettings settings_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, NumbersFromOneAndAsksForAGroupCommit) {
  Journal& journal = open();
  EXPECT_EQ(journal.deadline(), std::nullopt);
  const Steady start = clock_.steady();
  EXPECT_EQ(journal.append("th1", "payload 1", Urgency::routine), 1u);
  EXPECT_EQ(journal.deadline(), start + 10s);
  clock_.advance(1s);
  EXPECT_EQ(journal.append("", "payload 2", Urgency::routine), 2u);
  EXPECT_EQ(journal.deadline(), start + 10s);  // the first one's, not put off by the second
  journal.seal();
  EXPECT_EQ(journal.append("th1", "payload 3", Urgency::urgent), 3u);
  EXPECT_EQ(journal.deadline(), start + 1200ms);
  EXPECT_EQ(journal.head(), 0u);  // nothing is committed yet

  const auto committed = journal.commit();
  ASSERT_TRUE(committed);
  ASSERT_EQ(committed->size(), 3u);
  EXPECT_EQ((*committed)[1].device, "");
  EXPECT_EQ(journal.head(), 3u);
  EXPECT_EQ(journal.oldest(), 1u);
  EXPECT_EQ(journal.deadline(), std::nullopt);
  EXPECT_THAT(kept(), ElementsAre(1, 2, 3));
}

TEST_F(JournalTest, MuchIsNotHeldBackForLong) {
  Journal& journal = open();
  const Steady start = clock_.steady();
  for (int i = 0; i < 400; ++i) journal.append("th1", std::string(800, 'x'), Urgency::routine);
  EXPECT_EQ(journal.deadline(), start + 200ms);
}

TEST_F(JournalTest, WhatADeviceReportsUntilTheCommitIsOneRecord) {
  Journal& journal = open();
  EXPECT_EQ(journal.append("th1", "a", Urgency::routine), 1u);
  EXPECT_EQ(journal.append("th2", "b", Urgency::routine), 2u);
  EXPECT_EQ(journal.append("th1", "c", Urgency::routine), 1u);
  const auto committed = journal.commit();
  ASSERT_EQ(committed->size(), 2u);
  EXPECT_EQ(committed->at(0).payload, "ac");
  EXPECT_EQ(committed->at(1).payload, "b");
  EXPECT_EQ(journal.append("th1", "d", Urgency::routine), 3u);  // what is on disk does not grow
  journal.seal();
  EXPECT_EQ(journal.append("th1", "e", Urgency::routine), 4u);
  EXPECT_EQ(journal.append("th1", "f", Urgency::urgent), 5u);  // stands alone
  EXPECT_EQ(journal.append("th1", "g", Urgency::routine), 6u);
  ASSERT_TRUE(journal.commit());
  std::vector<std::string> payloads;
  const auto read = journal.read({1, 6}, 10, {});
  for (const JournalRecord& record : *read) payloads.push_back(record.payload);
  EXPECT_THAT(payloads, ElementsAre("ac", "b", "d", "e", "f", "g"));
}

TEST_F(JournalTest, ARecordIsOfOneClockAndDoesNotGrowForEver) {
  Journal& journal = open();
  EXPECT_EQ(journal.append("th1", "a", Urgency::routine), 1u);
  journal.begin_era("boot", 5s, ClockTrust::confirmed);
  EXPECT_EQ(journal.append("th1", "b", Urgency::routine), 2u);
  EXPECT_EQ(journal.append("th1", std::string(40'000, 'x'), Urgency::routine), 2u);
  EXPECT_EQ(journal.append("th1", "c", Urgency::routine), 3u);
}

TEST_F(JournalTest, KeepsItsIdItsNumbersAndBdSeqOverARestart) {
  const JournalId id = open().id();
  append_and_commit(3);
  EXPECT_EQ(journal_->step_bd_seq(), 0);
  EXPECT_EQ(journal_->step_bd_seq(), 1);
  ASSERT_TRUE(journal_->acknowledge("centre", 3));
  open();
  EXPECT_EQ(journal_->id(), id);
  EXPECT_NE(id, JournalId{});
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_EQ(journal_->head(), 3u);
  EXPECT_EQ(journal_->oldest(), 4u);
  EXPECT_EQ(journal_->append("th1", "payload 4", Urgency::urgent), 4u);  // though the table was empty
  EXPECT_EQ(journal_->step_bd_seq(), 2);
}

TEST_F(JournalTest, BdSeqGoesFrom255To0) {
  open();
  for (int i = 0; i < 256; ++i) EXPECT_EQ(journal_->step_bd_seq(), i);
  EXPECT_EQ(journal_->step_bd_seq(), 0);
}

TEST_F(JournalTest, ForgetsOnlyWhatEveryHostHas) {
  settings_.ack_hosts = {"centre", "archive"};
  open();
  append_and_commit(6);
  const std::vector<RecordRange> ranges{{5, 5}};
  ASSERT_TRUE(journal_->acknowledge("centre", 3, ranges));
  EXPECT_THAT(kept(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(journal_->oldest(), 1u);
  ASSERT_TRUE(journal_->acknowledge("archive", 2, ranges));
  EXPECT_THAT(kept(), ElementsAre(3, 4, 6));
  EXPECT_EQ(journal_->oldest(), 3u);
  const auto for_centre = journal_->read({1, 6}, 10, {"centre"});
  ASSERT_EQ(for_centre->size(), 2u);
  EXPECT_EQ(for_centre->at(0).number, 4u);

  open();  // who has what is stored
  EXPECT_THAT(kept(), ElementsAre(3, 4, 6));
  EXPECT_EQ(journal_->read({1, 6}, 10, {"centre"})->size(), 2u);
  ASSERT_TRUE(journal_->acknowledge("archive", 6));
  EXPECT_THAT(kept(), ElementsAre(4, 6));
  EXPECT_EQ(journal_->lost(), 0u);
}

TEST_F(JournalTest, DeletesInBatchesToSpareTheFlash) {
  open();
  append_and_commit(2);
  ASSERT_TRUE(journal_->acknowledge("centre", 1));
  EXPECT_EQ(journal_->deadline(), clock_.steady() + 30s);
  clock_.advance(10s);
  ASSERT_TRUE(journal_->acknowledge("centre", 2));
  EXPECT_EQ(journal_->deadline(), clock_.steady() + 20s);
  EXPECT_THAT(kept(), IsEmpty());  // acknowledged ones are not read although they are still there
  clock_.advance(20s);
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(journal_->deadline(), std::nullopt);
}

TEST_F(JournalTest, AHostThatIsNewInTheConfigurationLacksNothingThatIsGone) {
  open();
  append_and_commit(5);
  ASSERT_TRUE(journal_->acknowledge("centre", 3));
  settings_.ack_hosts = {"centre", "archive"};
  open();
  EXPECT_EQ(journal_->oldest(), 4u);
  EXPECT_EQ(journal_->read({1, 5}, 10, {"archive"})->size(), 2u);
  settings_.ack_hosts = {"archive"};
  open();
  ASSERT_TRUE(journal_->acknowledge("archive", 5));
  EXPECT_EQ(journal_->oldest(), 6u);
}

TEST_F(JournalTest, RefusesAcknowledgementsItMustNotBelieve) {
  open();
  append_and_commit(3);
  append(1);
  EXPECT_EQ(journal_->acknowledge("stranger", 1).error().code, Errc::not_authorized);
  EXPECT_EQ(journal_->acknowledge("centre", 4).error().code, Errc::invalid);  // not committed
  const std::vector<RecordRange> beyond{{3, 9}};
  EXPECT_FALSE(journal_->acknowledge("centre", 1, beyond));
  EXPECT_THAT(kept(), ElementsAre(1, 2, 3));
}

TEST_F(JournalTest, WithoutHostsARecordIsDoneWithOncePublished) {
  settings_.ack_hosts = {};
  open();
  append_and_commit(3);
  journal_->published(1);
  journal_->published(3);
  EXPECT_THAT(kept(), ElementsAre(2));
  EXPECT_EQ(journal_->oldest(), 2u);
  open();
  EXPECT_THAT(kept(), ElementsAre(2));
}

TEST_F(JournalTest, DropsTheOldestWhenFullAndCountsThem) {
  settings_.max_size_bytes = 200'000;
  open();
  for (std::uint64_t i = 0; i < 3000; ++i) {
    journal_->append("th1", noise_of(i, 200), Urgency::routine);
    journal_->seal();
  }
  ASSERT_TRUE(journal_->commit());
  const std::uint64_t lost = journal_->lost();
  EXPECT_GT(lost, 1000u);
  EXPECT_LT(lost, 3000u);
  EXPECT_EQ(journal_->oldest(), lost + 1);
  EXPECT_EQ(journal_->read({1, 3000}, 10'000, {})->size(), 3000u - lost);
  open();
  EXPECT_EQ(journal_->lost(), lost);
  EXPECT_EQ(journal_->head(), 3000u);
}

TEST_F(JournalTest, DropsWhatIsTooOldButNotWhatWasAcknowledged) {
  settings_.max_age = 24h;
  open();
  append_and_commit(2);
  clock_.advance(23h);
  append_and_commit(2);
  ASSERT_TRUE(journal_->acknowledge("centre", 1));
  clock_.advance(2h);
  append_and_commit(1);
  EXPECT_EQ(journal_->lost(), 1u);
  EXPECT_THAT(kept(), ElementsAre(3, 4, 5));
}

TEST_F(JournalTest, AClockThatJumpsAheadForAMomentDoesNotCostTheBacklog) {
  open();
  for (int i = 0; i < 5000; ++i) append(1);
  ASSERT_TRUE(journal_->commit());
  clock_.jump_wall(24h * 365);
  clock_.advance(61s);
  append_and_commit(1);
  clock_.jump_wall(-24h * 365);
  clock_.advance(61s);
  append_and_commit(1);
  EXPECT_EQ(journal_->lost(), 1000u);
}

TEST_F(JournalTest, MovesADamagedFileAsideAndStartsAnew) {
  const JournalId id = open().id();
  append_and_commit(300);
  journal_->step_bd_seq();
  journal_.reset();
  const auto file = folder_.path() / "journal.sqlite";
  {
    std::fstream damage{file, std::ios::in | std::ios::out | std::ios::binary};
    for (const int offset : {100, 4096, 8192, 12288})
      damage.seekp(offset).write(std::string(200, '\xff').data(), 200);
  }
  open();
  EXPECT_NE(journal_->id(), id);
  EXPECT_EQ(journal_->head(), 0u);
  EXPECT_EQ(journal_->moved_aside(), 1);
  EXPECT_TRUE(journal_->is_durable());
  EXPECT_TRUE(std::filesystem::exists(file.string() + ".corrupt-1"));
  append_and_commit(1);
  open();
  EXPECT_EQ(journal_->moved_aside(), 1);
  EXPECT_THAT(kept(), ElementsAre(1));
}

TEST_F(JournalTest, AFileThatIsNoDatabaseDoesNotStopTheAgent) {
  std::ofstream{folder_.path() / "journal.sqlite"} << std::string(10'000, 'a');
  open();
  EXPECT_EQ(journal_->moved_aside(), 1);
  append_and_commit(1);
  EXPECT_THAT(kept(), ElementsAre(1));
}

/// Nothing can be moved aside: what a read-only disk does, without needing one.
void forbid_moving_aside(const std::filesystem::path& file) {
  for (int i = 1; i <= 3; ++i)
    for (const char* suffix : {"-wal", "-shm", ""})
      std::filesystem::create_directories(
          fmt::format("{}.corrupt-{}{}/in the way", file.string(), i, suffix));
}

TEST_F(JournalTest, ADamagedFileThatCannotBeMovedLeavesAJournalInMemory) {
  const auto file = folder_.path() / "journal.sqlite";
  std::ofstream{file} << std::string(10'000, 'a');
  forbid_moving_aside(file);
  open();
  EXPECT_EQ(journal_->health(), JournalHealth::memory_only);
  EXPECT_EQ(journal_->moved_aside(), 0);
  append_and_commit(2);
  EXPECT_THAT(kept(), ElementsAre(1, 2));
  clock_.advance(3min);
  append_and_commit(1);  // tried again, in vain, and nothing is lost by it
  EXPECT_THAT(kept(), ElementsAre(1, 2, 3));
}

TEST_F(JournalTest, GoesToDiskAsSoonAsThereIsOne) {
  const auto folder = folder_.path() / "data";
  std::ofstream{folder} << "a file where the folder should be";
  journal_ = *Journal::open(folder / "journal.sqlite", settings_, clock_, Log::quiet());
  const JournalId in_memory = journal_->id();
  EXPECT_EQ(journal_->step_bd_seq(), 0);
  append_and_commit(3);
  ASSERT_TRUE(journal_->acknowledge("centre", 1));
  std::filesystem::remove(folder);
  clock_.advance(3min);
  ASSERT_LE(journal_->deadline(), clock_.steady());
  append(1);
  const auto committed = journal_->commit();
  ASSERT_EQ(committed->size(), 3u);  // 2 and 3 from memory, then the new one
  EXPECT_EQ(committed->front().payload, "payload 2");
  EXPECT_EQ(committed->front().number, 1u);
  EXPECT_NE(journal_->id(), in_memory);
  EXPECT_EQ(journal_->health(), JournalHealth::durable);
  EXPECT_EQ(journal_->head(), 3u);
  journal_.reset();
  journal_ = *Journal::open(folder / "journal.sqlite", settings_, clock_, Log::quiet());
  EXPECT_EQ(journal_->read({1, 9}, 9, {})->size(), 3u);
  EXPECT_EQ(journal_->step_bd_seq(), 1);
}

TEST_F(JournalTest, InMemoryItTakesOnlyWhatItMay) {
  settings_.max_memory_bytes = 200'000;
  journal_ = *Journal::open("/proc/no/such/folder/journal.sqlite", settings_, clock_, Log::quiet());
  for (std::uint64_t i = 0; i < 3000; ++i) {
    journal_->append("th1", noise_of(i, 200), Urgency::routine);
    journal_->seal();
    if (i % 100 == 0) {
      ASSERT_TRUE(journal_->commit());
    }
  }
  ASSERT_TRUE(journal_->commit());
  const std::uint64_t lost = journal_->lost();
  EXPECT_GT(lost, 1500u);
  EXPECT_LT(lost, 2900u);
  EXPECT_EQ(journal_->read({1, 3000}, 10'000, {})->size(), 3000u - lost);
}

TEST_F(JournalTest, ASecondAgentOnTheSameFolderIsRefused) {
  open();
  const auto second = Journal::open(folder_.path() / "journal.sqlite", settings_, clock_, Log::quiet());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  open();  // the lock goes with the journal
}

TEST_F(JournalTest, WithoutAnyFileItLivesInMemory) {
  journal_ = *Journal::open("/proc/no/such/folder/journal.sqlite", settings_, clock_, Log::quiet());
  EXPECT_FALSE(journal_->is_durable());
  append_and_commit(2);
  EXPECT_THAT(kept(), ElementsAre(1, 2));
  EXPECT_EQ(journal_->step_bd_seq(), 0);
}

TEST_F(JournalTest, AFullDiskLosesNothingThatFitsIntoMemory) {
  open();
  append_and_commit(2);
  {
    const FullDisk full{1000};
    append(3);
    EXPECT_FALSE(journal_->commit());
    EXPECT_TRUE(journal_->is_failing());
    EXPECT_EQ(journal_->head(), 2u);
    EXPECT_EQ(journal_->pending().size(), 3u);
    EXPECT_EQ(journal_->deadline(), clock_.steady() + 5s);
    append(1);
    EXPECT_FALSE(journal_->commit());
  }
  clock_.advance(5s);
  const auto committed = journal_->commit();
  ASSERT_TRUE(committed) << committed.error().text;
  EXPECT_EQ(committed->size(), 4u);
  EXPECT_FALSE(journal_->is_failing());
  EXPECT_EQ(journal_->lost(), 0u);
  EXPECT_THAT(kept(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(JournalTest, WhatDoesNotFitIntoMemoryIsCountedAndNoNumberIsUsedTwice) {
  settings_.max_memory_bytes = 10 * (sizeof(JournalRecord) + 20);
  open();
  append_and_commit(2);
  {
    const FullDisk full{1000};
    append(25);
    EXPECT_FALSE(journal_->commit());
  }
  ASSERT_TRUE(journal_->commit());
  EXPECT_EQ(journal_->head(), 27u);
  EXPECT_EQ(journal_->lost(), 15u);
  EXPECT_EQ(kept().size(), 12u);  // head - lost
  ASSERT_TRUE(journal_->acknowledge("centre", 2));
  EXPECT_EQ(journal_->oldest(), 18u);  // the hole is not waited for
  open();
  EXPECT_EQ(journal_->lost(), 15u);
  EXPECT_EQ(journal_->head(), 27u);
  EXPECT_EQ(journal_->oldest(), 18u);
}

TEST_F(JournalTest, AHoleIsKnownAfterACrash) {
  settings_.max_memory_bytes = 10 * (sizeof(JournalRecord) + 20);
  open();
  append_and_commit(2);
  {
    const FullDisk full{1000};
    append(25);
    EXPECT_FALSE(journal_->commit());
  }
  ASSERT_TRUE(journal_->commit());
  const ScratchFolder after;
  for (const char* name : {"journal.sqlite", "journal.sqlite-wal"})
    std::filesystem::copy(folder_.path() / name, after.path() / name);
  journal_ = *Journal::open(after.path() / "journal.sqlite", settings_, clock_, Log::quiet());
  EXPECT_EQ(journal_->lost(), 15u);
  ASSERT_TRUE(journal_->acknowledge("centre", 2));
  EXPECT_EQ(journal_->oldest(), 18u);
}

/// A life of the agent that ends by kill -9: it appends, commits and then writes the committed head to a
/// pipe.
std::uint64_t live_until_killed(const std::filesystem::path& file, const JournalSettings& settings,
                                std::chrono::microseconds life) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    FakeClock clock;
    auto journal = *Journal::open(file, settings, clock, Log::quiet());
    for (std::uint64_t i = 0;; ++i) {
      for (int n = 0; n < 3; ++n) {
        journal->append("th1", fmt::format("payload {}", journal->last_appended() + 1), Urgency::urgent);
        journal->seal();
      }
      if (!journal->commit()) ::_exit(1);
      const std::uint64_t head = journal->head();
      if (::write(pipe_ends[1], &head, sizeof head) != sizeof head) ::_exit(1);
      clock.advance(5s);  // now and then acknowledged records are deleted
      if (i % 7 == 0) static_cast<void>(journal->acknowledge("centre", head / 2));
    }
  }
  ::close(pipe_ends[1]);
  std::uint64_t last_told = 0;
  std::uint64_t told = 0;
  const auto end = std::chrono::steady_clock::now() + life;
  while (::read(pipe_ends[0], &told, sizeof told) == sizeof told) {
    last_told = told;
    if (std::chrono::steady_clock::now() >= end) ::kill(child, SIGKILL);
  }
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  return last_told;
}

TEST_F(JournalTest, KillNineLosesNothingThatWasCommitted) {
  const auto file = folder_.path() / "journal.sqlite";
  std::uint64_t head_before = 0;
  for (int life = 1; life <= 8; ++life) {
    const std::uint64_t told = live_until_killed(file, settings_, std::chrono::milliseconds{7 * life});
    ASSERT_GT(told, head_before);
    open();
    EXPECT_EQ(journal_->moved_aside(), 0);
    EXPECT_GE(journal_->head(), told);
    EXPECT_LE(journal_->head(), told + 3);  // at most one commit was not told any more
    EXPECT_EQ(journal_->lost(), 0u);
    const auto numbers = kept();  // checks each payload against its number: none was used twice
    ASSERT_FALSE(numbers.empty());
    EXPECT_EQ(numbers.back(), journal_->head());
    EXPECT_EQ(numbers.size(), journal_->head() - numbers.front() + 1);
    EXPECT_LE(numbers.front(), told / 2 + 1);
    head_before = journal_->head();
    journal_.reset();
  }
}

}  // namespace
}  // namespace watchroom::agent
