// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/audit/audit_log.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;
using Kind = ChainFinding::Kind;

AuditEvent event_of(std::string what) {
  return {.who = "li", .from = "10.0.0.7", .action = "alarm.acknowledge", .object = std::move(what)};
}

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    std::string name = ::testing::TempDir() + "audit-XXXXXX";
    folder = ::mkdtemp(name.data());
    file = folder / "audit.db";
  }
  ~AuditLogTest() override { std::filesystem::remove_all(folder); }

  void start(AuditLog::Limits limits = {.retry = 5ms}) {
    log.emplace(file, clock, Log::quiet(), limits);
    const auto started = log->start();
    ASSERT_TRUE(started) << started.error().text;
  }
  template <typename Condition>
  static bool comes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < deadline)
      if (condition()) return true;
    return false;
  }
  void write(int count) {
    start();
    for (int i = 1; i <= count; ++i) {
      clock.advance(1s);
      log->record(event_of(fmt::format("alarm {}", i)));
    }
    log->stop();
  }
  std::vector<AuditEntry> entries() const {
    auto reader = AuditReader::open(file);
    EXPECT_TRUE(reader);
    auto all = reader->read({.limit = 10'000});
    EXPECT_TRUE(all);
    return *all;
  }
  ChainCheck verify(const std::optional<std::string>& expected = std::nullopt) const {
    auto check = verify_log(file, expected);
    EXPECT_TRUE(check) << check.error().text;
    return *check;
  }
  /// What somebody with the disk in hand can do: the triggers are no hindrance.
  void tamper(const std::string& sql) const {
    const auto database = Database::open(file, Durability::power_cut);
    ASSERT_TRUE(database);
    const auto done = database->execute(
        "DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; DROP TRIGGER entry_no_gap; " + sql);
    ASSERT_TRUE(done) << done.error().text;
  }
  static std::vector<std::pair<Kind, std::int64_t>> found(const ChainCheck& check) {
    std::vector<std::pair<Kind, std::int64_t>> all;
    for (const ChainFinding& finding : check.findings()) all.emplace_back(finding.kind, finding.number);
    return all;
  }

  std::filesystem::path folder, file;
  FakeClock clock;
  std::optional<AuditLog> log;
};

using Found = std::vector<std::pair<Kind, std::int64_t>>;

TEST_F(AuditLogTest, KeepsWhatWasRecordedInOrderAndChained) {
  write(3);
  const auto all = entries();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].number, 1);
  EXPECT_EQ(all[0].previous, std::string(64, '0'));
  EXPECT_EQ(all[2].previous, all[1].hash);
  EXPECT_EQ(all[2].event.object, "alarm 3");
  EXPECT_EQ(all[2].event.from, "10.0.0.7");
  EXPECT_EQ(all[2].at, clock.now());
  const ChainCheck check = verify();
  EXPECT_TRUE(check.is_intact());
  EXPECT_EQ(check.entries(), 3u);
  EXPECT_EQ(check.head()->hash, all[2].hash);
}

TEST_F(AuditLogTest, GoesOnWithTheChainAfterARestart) {
  write(2);
  log.reset();
  write(2);
  EXPECT_EQ(entries().back().number, 4);
  EXPECT_TRUE(verify().is_intact());
}

/// The bytes that the header promises, put together here by hand.
TEST_F(AuditLogTest, ItsHashCanBeComputedByAnybodyFromTheDescription) {
  const AuditEntry entry{1,
                         from_ms(1'800'000'000'000),
                         {"li", "", "session.open", "", Outcome::refused, "密码"},
                         hash_before_all(),
                         ""};
  const std::string command =
      "/usr/bin/python3 -c \"import hashlib,struct;f=['watchroom-audit-1','1','1800000000000','li','',"
      "'session.open','','refused','\\u5bc6\\u7801','0'*64,'end'];"
      "print(hashlib.sha256(b''.join(struct.pack('>I',len(x.encode()))+x.encode() for x in "
      "f)).hexdigest())\"";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char text[65] = "";
  EXPECT_EQ(std::fread(text, 1, 64, pipe), 64u);
  ::pclose(pipe);
  EXPECT_EQ(hash_of(entry), text);
}

TEST_F(AuditLogTest, TheFileItselfRefusesToChangeOrToForget) {
  write(3);
  const auto database = Database::open(file, Durability::power_cut);
  ASSERT_TRUE(database);
  for (const auto* sql :
       {"UPDATE entry SET who = 'wang' WHERE number = 2", "DELETE FROM entry WHERE number = 3",
        "DELETE FROM entry",
        "INSERT INTO entry SELECT 9, at_ms, who, from_address, action, object, outcome, detail, "
        "previous, hash FROM entry WHERE number = 3"})
    EXPECT_FALSE(database->execute(sql)) << sql;
  EXPECT_TRUE(verify().is_intact());
}

TEST_F(AuditLogTest, OneAlteredByteIsFoundWithItsNumber) {
  write(5);
  tamper("UPDATE entry SET who = 'lj' WHERE number = 3");
  EXPECT_EQ(found(verify()), (Found{{Kind::altered, 3}}));
}

TEST_F(AuditLogTest, EveryFieldIsUnderTheHash) {
  write(2);
  const std::vector<std::string> changes{
      "at_ms = at_ms + 1", "who = 'x'",    "from_address = 'x'",
      "action = 'x'",      "object = 'x'", "outcome = 'failed'",
      "outcome = 'x'",     "detail = 'x'", "hash = replace(hash, 'a', 'b')"};
  log.reset();  // folds what is beside the file into it
  int copies = 0;
  for (const std::string& change : changes) {
    const auto copy = folder / fmt::format("copy{}.db", ++copies);
    std::filesystem::copy_file(file, copy);
    const auto database = Database::open(copy, Durability::power_cut);
    ASSERT_TRUE(
        database->execute("DROP TRIGGER entry_no_update; UPDATE entry SET " + change + " WHERE number = 2"));
    EXPECT_FALSE(verify_log(copy, std::nullopt)->is_intact()) << change;
  }
}

TEST_F(AuditLogTest, AnEntryThatWasRewrittenWithItsHashBreaksTheNextOne) {
  write(4);
  AuditEntry forged = entries()[1];
  forged.event.who = "wang";
  tamper(fmt::format("UPDATE entry SET who = 'wang', hash = '{}' WHERE number = 2", hash_of(forged)));
  EXPECT_EQ(found(verify()), (Found{{Kind::not_linked, 3}}));
}

TEST_F(AuditLogTest, AMissingEntryIsFound) {
  write(5);
  tamper("DELETE FROM entry WHERE number IN (3, 4)");
  EXPECT_EQ(found(verify()), (Found{{Kind::missing, 3}}));
  EXPECT_EQ(verify().findings()[0].last, 4);
}

TEST_F(AuditLogTest, ABeginningThatWasCutOffIsFound) {
  write(3);
  tamper("DELETE FROM entry WHERE number = 1");
  EXPECT_EQ(found(verify()), (Found{{Kind::missing, 1}}));
}

TEST_F(AuditLogTest, SwappedEntriesAreFound) {
  write(4);
  tamper(
      "UPDATE entry SET number = 99 WHERE number = 2; UPDATE entry SET number = 2 WHERE number = 3; "
      "UPDATE entry SET number = 3 WHERE number = 99");
  EXPECT_THAT(found(verify()), ::testing::IsSupersetOf(Found{{Kind::altered, 2}, {Kind::altered, 3}}));
}

TEST_F(AuditLogTest, AnEntryThatSomebodyAppendedByHandIsFound) {
  write(2);
  tamper(
      "INSERT INTO entry SELECT 3, at_ms, 'wang', from_address, action, object, outcome, detail, hash, hash "
      "FROM entry WHERE number = 2");
  EXPECT_EQ(found(verify()), (Found{{Kind::altered, 3}}));
}

TEST_F(AuditLogTest, AnEntryBetweenAStopAndAStartIsFoundThoughItsHashIsRight) {
  start();
  log->record({.who = "system", .from = "", .action = "aggregator.stop", .object = ""});
  log.reset();
  AuditEntry forged{2, clock.now(), event_of("alarm 1"), entries()[0].hash, ""};
  forged.hash = hash_of(forged);
  tamper(fmt::format(
      "INSERT INTO entry VALUES (2, {}, 'li', '10.0.0.7', 'alarm.acknowledge', 'alarm 1', 'done', "
      "'', '{}', '{}')",
      to_ms(forged.at), forged.previous, forged.hash));
  EXPECT_EQ(found(verify()), (Found{{Kind::while_stopped, 2}}));
}

TEST_F(AuditLogTest, ACutEndShowsAgainstAHeadThatWasNotedBefore) {
  write(5);
  const std::string noted = entries().back().hash, earlier = entries()[2].hash;
  EXPECT_TRUE(verify(noted).is_intact());
  EXPECT_TRUE(verify(earlier).is_intact()) << "the log has grown since: no harm";
  tamper("DELETE FROM entry WHERE number = 5");
  EXPECT_TRUE(verify().is_intact()) << "a chain alone cannot show that its end was cut";
  EXPECT_EQ(found(verify(noted)), (Found{{Kind::head_not_found, 0}}));
}

TEST_F(AuditLogTest, WhoWritesToItWhileItRunsIsFoundAtTheNextEntry) {
  start();
  log->record(event_of("alarm 1"));
  ASSERT_TRUE(comes_true([&] { return log->figures().written == 1; }));
  AuditEntry forged{2, clock.now(), event_of("alarm 9"), entries()[0].hash, ""};
  forged.hash = hash_of(forged);
  {
    const auto database = Database::open(file, Durability::power_cut);
    ASSERT_TRUE(database->execute(fmt::format(
        "INSERT INTO entry VALUES (2, {}, 'li', '10.0.0.7', 'alarm.acknowledge', 'alarm 9', 'done', "
        "'', '{}', '{}')",
        to_ms(forged.at), forged.previous, forged.hash)));
  }
  log->record(event_of("alarm 2"));
  ASSERT_TRUE(comes_true([&] { return log->figures().written == 2; }));
  EXPECT_THAT(log->trouble(), ::testing::HasSubstr("somebody else"));
  log->stop();
  EXPECT_EQ(found(verify()), (Found{{Kind::told_itself, 3}}));
  EXPECT_EQ(entries().back().event.object, "alarm 2") << "and it goes on";
}

TEST_F(AuditLogTest, AFileThatIsTakenAwayIsToldInTheNewOne) {
  start();
  log->record(event_of("alarm 1"));
  ASSERT_TRUE(comes_true([&] { return log->figures().written == 1; }));
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
  log->record(event_of("alarm 2"));
  ASSERT_TRUE(comes_true([&] { return log->figures().written == 2; }));
  EXPECT_FALSE(log->trouble().empty());
  log->stop();
  EXPECT_EQ(entries().size(), 2u);
  EXPECT_EQ(found(verify()), (Found{{Kind::told_itself, 1}}));
}

TEST_F(AuditLogTest, AClockThatGoesBackIsVisible) {
  start();
  log->record(event_of("alarm 1"));
  clock.jump_wall(-1h);
  log->record(event_of("alarm 2"));
  log->stop();
  const auto all = entries();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].event.action, "clock.went_back");
  EXPECT_TRUE(verify().is_intact());
  EXPECT_EQ(found(verify()), (Found{{Kind::clock_went_back, 2}}));
}

TEST_F(AuditLogTest, WhatTheDiskRefusesWaitsAndIsTrouble) {
  std::filesystem::create_directory(file);  // no file can be opened there
  start();
  for (int i = 1; i <= 3; ++i) log->record(event_of(fmt::format("alarm {}", i)));
  ASSERT_TRUE(comes_true([&] { return !log->trouble().empty(); }));
  EXPECT_TRUE(log->figures().is_failing);
  EXPECT_EQ(log->figures().waiting, 3u);
  std::filesystem::remove(file);
  ASSERT_TRUE(comes_true([&] { return log->figures().waiting == 0; }));
  EXPECT_EQ(log->trouble(), "");
  log->stop();
  EXPECT_EQ(entries().size(), 3u);
  EXPECT_TRUE(verify().is_intact());
}

TEST_F(AuditLogTest, WhatTheMemoryCannotHoldIsCountedAndAnEntry) {
  std::filesystem::create_directory(file);
  start({.most_waiting = 4, .retry = 5ms});
  for (int i = 1; i <= 9; ++i) log->record(event_of(fmt::format("alarm {}", i)));
  EXPECT_EQ(log->figures().lost, 5u);
  std::filesystem::remove(file);
  ASSERT_TRUE(comes_true([&] { return log->figures().waiting == 0 && log->figures().written == 5; }));
  log->stop();
  const auto all = entries();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[4].event.action, "audit.lost");
  EXPECT_THAT(all[4].event.detail, ::testing::HasSubstr("5 entries"));
  EXPECT_TRUE(verify().is_intact());
}

TEST_F(AuditLogTest, TwoProcessesCannotWriteOneLog) {
  start();
  AuditLog other{file, clock, Log::quiet()};
  const auto started = other.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::conflict);
}

TEST_F(AuditLogTest, AnyTextIsKeptAndAnExportGivesItBack) {
  start();
  log->record({.who = "'; DROP TABLE entry; --",
               .from = "\xff\xfe",
               .action = "<script>alert(1)</script>",
               .object = std::string("nul\0inside", 10),
               .outcome = Outcome::refused,
               .detail = "\x1b[31m\u202e\n" + std::string(5'000, 'x')});
  log->stop();
  const auto all = entries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].event.from, "\ufffd\ufffd");
  EXPECT_EQ(all[0].event.object.size(), 10u);
  EXPECT_EQ(all[0].event.detail.size(), 2'000u);
  EXPECT_TRUE(verify().is_intact());
  const std::string line = to_json_line(all[0]);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto read = entry_from_json(line);
  ASSERT_TRUE(read) << read.error().text;
  ChainCheck check{ChainCheck::Begins::at_one};
  check.take(*read);
  check.finish();
  EXPECT_TRUE(check.is_intact());
}

TEST_F(AuditLogTest, ARangeOfTimeHasNoGapsOfItsOwn) {
  start();
  for (int i = 1; i <= 6; ++i) {
    clock.advance(1h);
    log->record(event_of(fmt::format("alarm {}", i)));
  }
  log->stop();
  auto reader = AuditReader::open(file);
  const auto part = reader->read({.since = clock.now() - 3h, .until = clock.now() - 1h});
  ASSERT_EQ(part->size(), 3u);
  EXPECT_EQ(part->front().number, 3);
  ChainCheck check{ChainCheck::Begins::anywhere};
  for (const AuditEntry& entry : *part) check.take(entry);
  EXPECT_TRUE(check.is_intact());
  EXPECT_EQ(reader->read({.newest = true, .limit = 2})->front().number, 5);
  EXPECT_EQ(reader->read({.after = 4})->front().number, 5);
  EXPECT_EQ(reader->read({.before = 3, .newest = true, .limit = 1})->front().number, 2);
  EXPECT_EQ(reader->head()->value().number, 6);
}

TEST(AuditLine, ABrokenLineSaysWhatIsWrong) {
  EXPECT_THAT(entry_from_json("nonsense").error().text, ::testing::HasSubstr("no"));
  EXPECT_THAT(entry_from_json(R"({"number":1})").error().text, ::testing::HasSubstr("\"at\""));
}

/// 100 entries in 100 days, of which the log keeps 30 days.
class DroppedEntries : public AuditLogTest {
 protected:
  void write_days(int count, std::int64_t least_kept = 5) {
    start({.retry = 1ms, .keep = 24h * 30, .least_kept = least_kept, .drop_interval = 24h});
    for (int i = 0; i < count; ++i) {
      const auto before = log->figures().head_number;
      clock.advance(24h);
      log->record(event_of(fmt::format("alarm {}", i)));
      ASSERT_TRUE(
          comes_true([&] { return log->figures().head_number > before && log->figures().waiting == 0; }));
    }
    log->stop();
    log.reset();
  }
  bool has_dropped() { return entries().front().number > 1; }
};

TEST_F(DroppedEntries, AreTheOldOnesAndWhatIsLeftVerifies) {
  write_days(100);
  const auto all = entries();
  EXPECT_GT(all.front().number, 20);
  EXPECT_LE(clock.now() - all.front().at, 24h * 32);
  EXPECT_GE(clock.now() - all.front().at, 24h * 28);
  const ChainCheck check = verify(all.back().hash);
  EXPECT_TRUE(check.is_intact());
  ASSERT_EQ(check.count_of_findings(), 1u);
  const ChainFinding& note = check.findings().front();
  EXPECT_EQ(note.kind, Kind::begins_later);
  EXPECT_EQ(note.last, all.front().number - 1);
  EXPECT_THAT(describe_en(note), ::testing::HasSubstr("dropped"));
  EXPECT_THAT(describe_zh(note), ::testing::HasSubstr("已清除"));
  write_days(3);
  EXPECT_TRUE(verify().is_intact()) << "also after a restart";
}

TEST_F(DroppedEntries, NobodyElseDropsOneMoreUnseen) {
  write_days(60);
  const auto first = entries().front().number;
  tamper(fmt::format("DELETE FROM entry WHERE number = {}", first));
  EXPECT_FALSE(verify().is_intact());
  EXPECT_EQ(found(verify()).back(), (std::pair{Kind::missing, std::int64_t{1}}));
}

TEST_F(DroppedEntries, ANoteThatWasAlteredOrTakenAwayIsFound) {
  write_days(60);
  const auto all = entries();
  const auto note = std::find_if(all.rbegin(), all.rend(),
                                 [](const AuditEntry& entry) { return entry.event.action == "audit.drop"; });
  ASSERT_NE(note, all.rend());
  tamper(fmt::format("UPDATE entry SET object = 'entries to 1' WHERE number = {}", note->number));
  EXPECT_FALSE(verify().is_intact());
  EXPECT_EQ(found(verify()).front(), (std::pair{Kind::altered, note->number}));
  EXPECT_EQ(found(verify()).back().first, Kind::missing);
}

TEST_F(DroppedEntries, AClockThatJumpsAheadDoesNotEmptyTheLog) {
  write(50);
  log.reset();
  clock.advance(24h * 36'500);
  write_days(2, 40);
  EXPECT_GE(entries().size(), 40u);
  EXPECT_TRUE(has_dropped());
  EXPECT_TRUE(verify().is_intact());
}

TEST_F(DroppedEntries, StillCannotBeDeletedByWhoeverHasOnlySql) {
  write_days(60);
  ASSERT_TRUE(has_dropped());
  const auto database = Database::open(file, Durability::power_cut);
  EXPECT_FALSE(database->execute("DELETE FROM entry WHERE number > 0"));
}

}  // namespace
}  // namespace watchroom::aggregator
