// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/gpio.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/drivers/gpio/gpio_grammar.hpp"

namespace watchroom::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GpioDriver : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-gpio-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string write_board(const std::string& lines) const {
    const auto file = folder / "board.toml";
    std::ofstream{file} << "schema = 1\nname = \"Test\"\nsource = \"test\"\n" << lines;
    return "gpio://" + file.string();
  }
  static std::shared_ptr<const Profile> profile(const std::string& points) {
    Problems problems;
    auto made = Profile::parse(
        "schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"gpio\"\nsource = \"test\"\n"
        "confidence = \"measured\"\n" +
            points,
        "p.toml", problems);
    EXPECT_TRUE(made) << problems.str();
    return std::make_shared<const Profile>(*std::move(made));
  }
  static std::string point(const std::string& name, const std::string& line) {
    return "[[point]]\nname = \"" + name + "\"\nunit = \"state\"\nline = \"" + line +
           "\"\nstates = { 0 = { zh = \"关\", en = \"closed\" }, 1 = { zh = \"开\", en = \"open\" } }\n";
  }
  static ConfiguredDevice device(const std::string& url, std::shared_ptr<const Profile> profile) {
    std::vector<AddressComplaint> complaints;
    ConfiguredDevice made;
    made.address = *parse_address(url, AddressOrigin::settings, complaints);
    made.profile = std::move(profile);
    DevicePoints points = points_of(*made.profile, {});
    made.description.points = std::move(points.descriptions);
    made.sources = std::move(points.sources);
    return made;
  }
  std::unique_ptr<Bus> bus(const ConfiguredDevice& device) {
    return gpio.make({device}, BusContext{clock, Log::quiet(), {}, {}});
  }

  std::filesystem::path folder;
  SystemClock clock;
};

TEST_F(GpioDriver, FindsABoardByNameOrByPath) {
  std::vector<AddressComplaint> complaints;
  const auto file = [&](const char* url) {
    const auto address = parse_address(url, AddressOrigin::settings, complaints);
    return address ? address->where.as<GpioAddress>().board_file.string() : complaints.back().text;
  };
  EXPECT_THAT(file("gpio://qemu_virt"), HasSubstr("share/watchroom/boards/qemu_virt/board.toml"));
  EXPECT_EQ(file("gpio://box?boards_dir=/etc/boards"), "/etc/boards/box/board.toml");
  EXPECT_EQ(file("gpio:///etc/box.toml"), "/etc/box.toml");
  EXPECT_THAT(file("gpio://"), HasSubstr("expected gpio://BOARD"));
  EXPECT_THAT(file("gpio://../x"), HasSubstr("expected gpio://BOARD"));
  EXPECT_THAT(file("gpio:///a/b.toml?boards_dir=/c"), HasSubstr("does not go with a path"));
}

TEST_F(GpioDriver, AProfileMustNameLinesOfTheBoard) {
  const std::string url = write_board("[[line]]\nname = \"DI1\"\nkernel_name = \"none-such\"\n");
  Problems problems;
  const auto fits = [&](const std::string& line) {
    const auto one = device(url, profile(point("door[front].state", line)));
    return gpio.misfit(one.address, *one.profile, problems);
  };
  EXPECT_EQ(fits("DI1"), "");
  EXPECT_EQ(fits("DI2"), "a board with a line \"DI2\"");
  EXPECT_TRUE(problems.empty()) << problems.str();
}

TEST_F(GpioDriver, AWrongBoardFileIsToldOnceWithItsLine) {
  const std::string url = write_board("[[line]]\nname = \"DI1\"\nkernel_name = \"x\"\ncolour = 1\n");
  const auto one = device(url, profile(point("door[front].state", "DI1")));
  Problems problems;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(gpio.misfit(one.address, *one.profile, problems), "");
  EXPECT_EQ(problems.all().size(), 1u);
  EXPECT_THAT(problems.str(), HasSubstr("board.toml:7: line[0].colour"));
}

TEST_F(GpioDriver, RefusesPointsThatAreNoContacts) {
  const auto complaints = [](const std::string& points) {
    Problems problems;
    EXPECT_FALSE(
        Profile::parse("schema = 1\nmaker = \"T\"\nmodel = \"T\"\nbus = \"gpio\"\nsource = \"test\"\n"
                       "confidence = \"measured\"\n" +
                           points,
                       "p.toml", problems));
    return problems.str();
  };
  EXPECT_THAT(complaints("[[point]]\nname = \"ambient.temperature\"\nunit = \"celsius\"\nline = \"DI1\"\n"),
              HasSubstr("expected \"state\""));
  EXPECT_THAT(complaints(point("door[front].state", "*")), HasSubstr("line: \"*\""));
  EXPECT_THAT(complaints(point("contact[*].state", "DI1")), HasSubstr("line: \"DI1\""));
}

TEST_F(GpioDriver, EveryLineOfABoardIsAPoint) {
  const std::string url = write_board(
      "[[line]]\nname = \"DI1\"\nkernel_name = \"none-1\"\n[[line]]\nname = \"DI2\"\nkernel_name = "
      "\"none-2\"\n");
  const auto one = device(url, profile(point("contact[*].state", "*")));
  const auto found = bus(one)->discover(0);
  ASSERT_TRUE(found);
  std::vector<std::string> names;
  for (const PointDescription& description : points_of(*one.profile, *found).descriptions)
    names.push_back(description.name.str());
  EXPECT_THAT(names, ElementsAre("contact[DI1].state", "contact[DI2].state"));
}

TEST_F(GpioDriver, ALineThatIsNotThereIsStaleAndTold) {
  const std::string url = write_board("[[line]]\nname = \"DI1\"\nkernel_name = \"none-such\"\n");
  const Answer answer = bus(device(url, profile(point("door[front].state", "DI1"))))->read(0);
  EXPECT_EQ(answer.communication, Communication::not_connected);
  EXPECT_THAT(answer.text, HasSubstr("line DI1: not found"));
  ASSERT_EQ(answer.readings.size(), 1u);
  EXPECT_EQ(answer.readings[0].quality, Quality::stale);
}

/// The one test that needs hardware; QEMU's virt machine has it.
TEST_F(GpioDriver, ReadsTheLinesOfARealChip) {
  if (!std::filesystem::exists("/dev/gpiochip0"))
    GTEST_SKIP() << "no /dev/gpiochip0: run it on a board or in QEMU";
  const auto board = std::filesystem::path{WATCHROOM_SOURCE_DIR} / "boards" / "qemu_virt" / "board.toml";
  const auto one = device("gpio://" + board.string(), profile(point("door[front].state", "line0")));
  const Answer answer = bus(one)->read(0);
  if (answer.text.find("no chip") != std::string::npos) GTEST_SKIP() << "not QEMU's virt: " << answer.text;
  EXPECT_EQ(answer.communication, Communication::ok) << answer.text;
  ASSERT_EQ(answer.readings.size(), 1u);
  EXPECT_EQ(answer.readings[0].quality, Quality::good);
}

}  // namespace
}  // namespace watchroom::agent
