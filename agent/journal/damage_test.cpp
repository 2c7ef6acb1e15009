// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <csignal>
#include <fstream>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/journal/full_disk.hpp"
#include "agent/journal/journal.hpp"
#include "agent/journal/noise.hpp"
#include "agent/journal/scratch_folder.hpp"

// Bits that flip on the flash: detected, told, and what is still good is used.
namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t records = 400;
constexpr std::uint64_t acknowledged = 20;
constexpr std::streamoff page = 1024;

std::string payload_of(std::uint64_t number) {
  return fmt::format("payload {} ", number) + noise_of(number, 90);
}

class DamageTest : public testing::Test {
 protected:
  DamageTest() {
    settings_.ack_hosts = {"centre"};
    open();
    for (std::uint64_t number = 1; number <= records; ++number) {
      journal_->append("th1", payload_of(number), Urgency::routine);
      journal_->seal();
    }
    EXPECT_TRUE(journal_->commit());
    EXPECT_TRUE(journal_->acknowledge("centre", acknowledged));
    journal_.reset();
  }
  void open() {
    journal_.reset();
    journal_ = *Journal::open(file_, settings_, clock_, Log::quiet());
  }
  std::string content() const {
    std::ifstream in{file_, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& bytes) const { std::ofstream{file_, std::ios::binary} << bytes; }
  /// What can be read, after the bad rows were found.
  std::set<std::string> payloads() {
    std::set<std::string> found;
    for (int attempt = 0; attempt < 3; ++attempt)
      if (const auto read = journal_->read({1, 10 * records}, 10 * records, {})) {
        for (const JournalRecord& record : *read) EXPECT_TRUE(found.insert(record.payload).second);
        break;
      }
    return found;
  }

  ScratchFolder folder_{folder_in_memory()};
  const std::filesystem::path file_ = folder_.path() / "journal.sqlite";
  FakeClock clock_;
  JournalSettings settings_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(DamageTest, AFlippedBitInARecordCostsThatRecord) {
  std::string bytes = content();
  const std::size_t at = bytes.find(payload_of(150));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 20] = static_cast<char>(bytes[at + 20] ^ 0x10);
  write(bytes);
  open();
  const auto found = payloads();
  EXPECT_EQ(found.size(), records - acknowledged - 1);
  EXPECT_FALSE(found.contains(payload_of(150)));
  EXPECT_EQ(journal_->lost(), 1u);
  EXPECT_EQ(journal_->moved_aside(), 0);
  ASSERT_TRUE(journal_->acknowledge("centre", 149));
  EXPECT_EQ(journal_->oldest(), 151u);  // nobody waits for it
  open();
  EXPECT_EQ(journal_->lost(), 1u);
  EXPECT_EQ(journal_->oldest(), 151u);
}

TEST_F(DamageTest, APageOfRubbishCostsWhatStoodOnIt) {
  std::string bytes = content();
  const auto at = static_cast<std::ptrdiff_t>(bytes.find(payload_of(200))) / page * page;
  std::fill_n(bytes.begin() + at, page, '\xa5');
  write(bytes);
  open();
  EXPECT_EQ(journal_->moved_aside(), 1);
  const auto found = payloads();
  EXPECT_FALSE(found.contains(payload_of(200)));
  EXPECT_TRUE(found.contains(payload_of(acknowledged + 1)));
  EXPECT_TRUE(found.contains(payload_of(records)));
  EXPECT_GT(found.size(), records - 100);
  EXPECT_EQ(found.size() + journal_->lost(), records - acknowledged);
  journal_->append("th1", "more", Urgency::urgent);
  ASSERT_TRUE(journal_->commit());
  open();
  EXPECT_EQ(payloads().size(), found.size() + 1);
}

TEST_F(DamageTest, DamageThatADeleteMeetsReplacesTheFile) {
  open();
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    journal_->append("th1", noise_of(i, 500), Urgency::routine);
    journal_->seal();
    if (i % 2000 == 1999) {
      ASSERT_TRUE(journal_->commit());
    }
  }
  const JournalId before = journal_->id();
  {
    std::fstream damage{file_, std::ios::in | std::ios::out | std::ios::binary};
    damage.seekp(page).write(std::string(200 * page, '\xa5').data(), 200 * page);
  }
  ASSERT_TRUE(journal_->acknowledge("centre", 5000));
  clock_.advance(30s);
  ASSERT_TRUE(journal_->commit());
  EXPECT_NE(journal_->id(), before);
  EXPECT_EQ(journal_->moved_aside(), 1);
  EXPECT_EQ(journal_->health(), JournalHealth::durable);
}

/// What an agent that is killed while it saves what is in a damaged journal leaves for the next one.
TEST_F(DamageTest, AKillWhileItIsSavedLosesNothing) {
  std::string bytes = content();
  const auto at = static_cast<std::ptrdiff_t>(bytes.find(payload_of(200))) / page * page;
  std::fill_n(bytes.begin() + at, page, '\xa5');
  std::mt19937 random{20'261'127};
  int broken_off = 0;
  for (int round = 0; round < 80; ++round) {
    for (const auto& entry : std::filesystem::directory_iterator{folder_.path()})
      std::filesystem::remove_all(entry.path());
    write(bytes);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      open();
      ::_exit(0);
    }
    ::usleep(std::uniform_int_distribution<useconds_t>{0, 12'000}(random));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) ++broken_off;
    open();
    const auto found = payloads();
    EXPECT_GT(found.size(), records - 100) << "round " << round;
    EXPECT_EQ(found.size() + journal_->lost(), records - acknowledged) << "round " << round;
    EXPECT_EQ(journal_->moved_aside(), 1) << "round " << round;
    journal_.reset();
  }
  EXPECT_GT(broken_off, 10);
}

TEST_F(DamageTest, AFullDiskWhileItIsSavedLosesNothing) {
  std::string bytes = content();
  const auto at = static_cast<std::ptrdiff_t>(bytes.find(payload_of(200))) / page * page;
  std::fill_n(bytes.begin() + at, page, '\xa5');
  write(bytes);
  {
    const FullDisk full{30'000};
    open();
    EXPECT_FALSE(journal_->is_durable());
    journal_->append("th1", "meanwhile", Urgency::urgent);
    EXPECT_TRUE(journal_->commit());
    clock_.advance(4min);
    EXPECT_TRUE(journal_->commit());
    EXPECT_FALSE(journal_->is_durable());
    EXPECT_EQ(payloads(), (std::set<std::string>{"meanwhile"}));
  }
  clock_.advance(7min);
  ASSERT_TRUE(journal_->commit());
  ASSERT_TRUE(journal_->commit());
  EXPECT_TRUE(journal_->is_durable());
  auto found = payloads();
  EXPECT_EQ(found.erase("meanwhile"), 1u);
  EXPECT_GT(found.size(), records - 100);
  EXPECT_EQ(found.size() + journal_->lost(), records - acknowledged);
}

TEST_F(DamageTest, NoFlippedBitGoesUnnoticed) {
  const std::string good = content();
  std::mt19937 random{20'261'121};
  std::uniform_int_distribution<std::size_t> any_bit{0, good.size() * 8 - 1};
  std::uint64_t fewest = records;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    const std::size_t bit = any_bit(random);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    for (const auto& entry : std::filesystem::directory_iterator{folder_.path()})
      std::filesystem::remove_all(entry.path());
    write(bytes);
    open();
    const auto found = payloads();
    for (const std::string& payload : found) {
      const std::uint64_t number = std::stoull(payload.substr(8));
      EXPECT_EQ(payload, payload_of(number)) << "bit " << bit;
      EXPECT_GT(number, acknowledged) << "bit " << bit;
    }
    fewest = std::min<std::uint64_t>(fewest, found.size());
    EXPECT_TRUE(found.size() + journal_->lost() >= records - acknowledged || journal_->moved_aside() == 1 ||
                !journal_->is_durable())
        << "bit " << bit << ": " << found.size() << " found, " << journal_->lost() << " lost";
    journal_->append("th1", "more", Urgency::urgent);
    EXPECT_TRUE(journal_->commit() || journal_->health() == JournalHealth::failing) << "bit " << bit;
    journal_.reset();
  }
  RecordProperty("fewest_kept", static_cast<int>(fewest));
}

}  // namespace
}  // namespace watchroom::agent
