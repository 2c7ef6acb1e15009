// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agent/journal/journal.hpp"
#include "agent/journal/noise.hpp"
#include "agent/journal/recorded_disk.hpp"
#include "agent/journal/scratch_folder.hpp"

// Power cuts between any two writes, with everything that was not synced dropped, torn or out of order.
namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// What the journal had promised at one moment.
struct Promise {
  std::size_t moment = 0;  // of the disk, when the call had returned
  JournalId id{};
  std::uint64_t head = 0;
  std::uint64_t acknowledged = 0;
  std::optional<std::uint8_t> bd_seq;
};

std::string payload_of(std::uint64_t number) {
  return fmt::format("{}: ", number) + noise_of(number, number * 37 % 900);
}

class PowerCutTest : public testing::Test {
 protected:
  PowerCutTest() { settings_.ack_hosts = {"centre"}; }

  std::unique_ptr<Journal> open(const std::filesystem::path& folder) {
    return *Journal::open(folder / "journal.sqlite", settings_, clock_, Log::quiet());
  }
  /// A life with commits of several sizes, deletes, a long log that is folded in, and restarts.
  void live(const RecordedDisk& disk) {
    std::mt19937 random{7};
    auto journal = open(folder_.path());
    promises_.push_back({disk.now(), journal->id(), 0, 0, {}});
    for (int step = 0; step < 120; ++step) {
      Promise promise = promises_.back();
      if (step % 40 == 39) {
        journal.reset();
        journal = open(folder_.path());
      }
      if (step % 10 == 3) promise.bd_seq = journal->step_bd_seq();
      for (int count = std::uniform_int_distribution{1, 40}(random); count > 0; --count) {
        journal->append("th1", payload_of(journal->last_appended() + 1), Urgency::urgent);
        journal->seal();
      }
      if (step % 7 == 6) {
        promise.acknowledged = journal->head() * 3 / 4;
        EXPECT_TRUE(journal->acknowledge("centre", promise.acknowledged));
      }
      clock_.advance(10s);
      ASSERT_TRUE(journal->commit());
      promise.head = journal->head();
      promise.moment = disk.now();
      promises_.push_back(promise);
    }
  }
  const Promise& promise_at(std::size_t moment) const {
    const auto after =
        std::upper_bound(promises_.begin(), promises_.end(), moment,
                         [](std::size_t at, const Promise& promise) { return at < promise.moment; });
    return *std::prev(after);
  }
  void check(const std::filesystem::path& folder, const Promise& promised, std::uint64_t acknowledged) {
    const auto journal = open(folder);
    EXPECT_EQ(journal->moved_aside(), 0);
    EXPECT_EQ(journal->lost(), 0u);
    ASSERT_TRUE(journal->is_durable());
    EXPECT_EQ(journal->id(), promised.id);
    ASSERT_GE(journal->head(), promised.head);
    ASSERT_LE(journal->oldest(), std::max(acknowledged, promised.acknowledged) + 1);
    const auto records = journal->read({1, 1'000'000}, 1'000'000, {});
    ASSERT_TRUE(records) << records.error().text;
    std::uint64_t next = journal->oldest();
    for (const JournalRecord& record : *records) {
      ASSERT_EQ(record.number, next++);
      ASSERT_EQ(record.payload, payload_of(record.number));
    }
    EXPECT_EQ(next, journal->head() + 1);
    if (promised.bd_seq) {
      // The next CONNECT's number is none that was used.
      const std::uint8_t next_bd_seq = journal->step_bd_seq();
      EXPECT_GE(next_bd_seq, *promised.bd_seq + 1);
    }
    journal->append("th1", payload_of(journal->head() + 1), Urgency::urgent);
    EXPECT_TRUE(journal->commit());
  }

  const ScratchFolder folder_{folder_in_memory()};
  FakeClock clock_;
  JournalSettings settings_;
  std::vector<Promise> promises_;
};

TEST_F(PowerCutTest, LosesNothingThatCommitReturnedFor) {
  const RecordedDisk disk{folder_.path()};
  live(disk);
  std::mt19937 random{20'261'121};
  std::uniform_int_distribution<std::size_t> any_moment{promises_.front().moment, disk.now()};
  for (std::size_t cuts = 0; cuts < 600; ++cuts) {
    // Every third cut right after a commit has returned: then least is synced beyond what was promised.
    const std::size_t moment =
        cuts % 3 == 0 ? promises_[cuts / 3 % promises_.size()].moment : any_moment(random);
    const ScratchFolder after{folder_in_memory()};
    disk.leave_after_power_cut(moment, after.path(), random);
    const Promise& promised = promise_at(moment);
    const auto next = std::min<std::size_t>(static_cast<std::size_t>(&promised - promises_.data()) + 1,
                                            promises_.size() - 1);
    check(after.path(), promised, promises_[next].acknowledged);
    if (HasFailure()) FAIL() << "power cut " << cuts << " at moment " << moment << " of " << disk.now();
  }
}

}  // namespace
}  // namespace watchroom::agent
