// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

using Frame = std::vector<std::uint8_t>;

constexpr ReadRequest two_input{RegisterTable::input, 0, 2};

Frame with_crc(Frame frame) {
  const std::uint16_t crc = crc16(frame);
  frame.push_back(static_cast<std::uint8_t>(crc & 0xff));
  frame.push_back(static_cast<std::uint8_t>(crc >> 8));
  return frame;
}

Result<ReadReply> decode_rtu(const Frame& frame, const ReadRequest& request = two_input, int unit = 1) {
  return decode_read_reply(ModbusFraming::rtu, unit, request, 0, frame);
}

TEST(ModbusFrame, EncodesTheExamplesOfTheStandard) {
  // Modbus Application Protocol V1.1b3, 6.3: registers 108 to 110; CRC worked out by hand elsewhere.
  EXPECT_EQ(encode_read(ModbusFraming::tcp, 17, {RegisterTable::holding, 107, 3}, 0x0102),
            (Frame{1, 2, 0, 0, 0, 6, 17, 3, 0, 107, 0, 3}));
  EXPECT_EQ(encode_read(ModbusFraming::rtu, 1, {RegisterTable::discrete, 0, 8}, 0),
            (Frame{0x01, 0x02, 0x00, 0x00, 0x00, 0x08, 0x79, 0xCC}));
}

TEST(ModbusFrame, DecodesRegisters) {
  const auto reply = decode_rtu({0x01, 0x04, 0x04, 0x00, 0xE7, 0x01, 0xC2, 0xCB, 0xB2});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(reply->words, testing::ElementsAre(231, 450));
}

TEST(ModbusFrame, DecodesBitsLowestFirst) {
  const auto reply = decode_rtu(with_crc({1, 2, 2, 0x05, 0x02}), {RegisterTable::discrete, 0, 10});
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_THAT(reply->words, testing::ElementsAre(1, 0, 1, 0, 0, 0, 0, 0, 0, 1));
}

TEST(ModbusFrame, DecodesTheLongestReply) {
  Frame frame{1, 4, 250};
  for (int i = 0; i < 125; ++i) frame.insert(frame.end(), {0, static_cast<std::uint8_t>(i)});
  const auto reply = decode_rtu(with_crc(frame), {RegisterTable::input, 0, 125});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->words.back(), 124);
}

TEST(ModbusFrame, AnExceptionIsAReply) {
  const auto reply = decode_rtu(with_crc({1, 0x84, 2}));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->exception, 2);
  EXPECT_EQ(exception_text(2), "illegal data address (exception 2)");
  EXPECT_EQ(exception_text(77), "unknown reason (exception 77)");
}

TEST(ModbusFrame, RefusesWhatIsNotTheAnswer) {
  const Frame good = with_crc({1, 4, 4, 0, 1, 0, 2});
  Frame flipped = good;
  flipped[3] ^= 0x10;
  Frame longer = good;
  longer.push_back(0);
  const std::vector<std::pair<Frame, std::string>> wrong{
      {{}, "checksum"},
      {{1, 4}, "checksum"},
      {Frame(good.begin(), good.end() - 1), "checksum"},
      {longer, "instead of 4"},
      {flipped, "checksum"},
      {with_crc({2, 4, 4, 0, 1, 0, 2}), "unit 2 answered for unit 1"},
      {with_crc({1, 3, 4, 0, 1, 0, 2}), "function 4 was answered with 3"},
      {with_crc({1, 0x83, 2}), "function 4 was answered with 131"},
      {with_crc({1, 0x84, 0}), "function 4 was answered with 132"},
      {with_crc({1, 4, 2, 0, 1}), "instead of 4"},
      {with_crc({1, 4, 6, 0, 1, 0, 2, 0, 3}), "instead of 4"},
      {with_crc({1, 4, 4, 0, 1}), "instead of 4"},
  };
  for (const auto& [frame, words] : wrong) {
    const auto reply = decode_rtu(frame);
    ASSERT_FALSE(reply) << words;
    EXPECT_EQ(reply.error().code, Errc::corrupt);
    EXPECT_THAT(reply.error().text, testing::HasSubstr(words));
  }
}

TEST(ModbusFrame, RefusesTcpRepliesToOtherRequests) {
  const Frame good{0, 7, 0, 0, 0, 7, 1, 4, 4, 0, 1, 0, 2};
  const auto decode = [](const Frame& frame) {
    return decode_read_reply(ModbusFraming::tcp, 1, two_input, 7, frame);
  };
  ASSERT_TRUE(decode(good));
  for (const std::size_t wrong_byte : {0u, 1u, 2u, 5u, 6u, 7u, 8u}) {
    Frame bad = good;
    bad[wrong_byte] ^= 0x41;
    EXPECT_FALSE(decode(bad)) << wrong_byte;
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(decode(Frame(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)))) << length;
}

// The examples of Modbus Application Protocol V1.1b3, 6.5, 6.6, 6.11 and 6.12.
TEST(ModbusFrame, EncodesTheWritesOfTheStandard) {
  const auto pdu = [](const WriteRequest& request) {
    const Frame frame = encode_write(ModbusFraming::tcp, 17, request, 1);
    return Frame{frame.begin() + 7, frame.end()};
  };
  EXPECT_EQ(pdu({RegisterTable::coil, 172, {1}, false}), (Frame{5, 0, 0xac, 0xff, 0}));
  EXPECT_EQ(pdu({RegisterTable::coil, 172, {0}, false}), (Frame{5, 0, 0xac, 0, 0}));
  EXPECT_EQ(pdu({RegisterTable::holding, 1, {3}, false}), (Frame{6, 0, 1, 0, 3}));
  EXPECT_EQ(pdu({RegisterTable::coil, 19, {1, 0, 1, 1, 0, 0, 1, 1, 1, 0}, true}),
            (Frame{15, 0, 19, 0, 10, 2, 0xcd, 0x01}));
  EXPECT_EQ(pdu({RegisterTable::holding, 1, {10, 258}, true}), (Frame{16, 0, 1, 0, 2, 4, 0, 10, 1, 2}));
}

struct WriteExample {
  WriteRequest request;
  Frame confirmation;
};

const std::vector<WriteExample> write_examples{
    {{RegisterTable::coil, 172, {1}, false}, {5, 0, 0xac, 0xff, 0}},
    {{RegisterTable::holding, 1, {3}, false}, {6, 0, 1, 0, 3}},
    {{RegisterTable::coil, 19, {1, 0, 1, 1, 0, 0, 1, 1, 1, 0}, true}, {15, 0, 19, 0, 10}},
    {{RegisterTable::holding, 1, {10, 258}, true}, {16, 0, 1, 0, 2}}};

TEST(ModbusFrame, AWriteIsConfirmedByItsEchoAlone) {
  for (const auto& [request, confirmation] : write_examples) {
    const auto decode = [&](const Frame& pdu) {
      return decode_write_reply(ModbusFraming::rtu, 7, request, 0, framed(ModbusFraming::rtu, 7, pdu, 0));
    };
    const auto done = decode(confirmation);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->exception, 0);
    for (std::size_t at = 0; at < confirmation.size(); ++at) {
      Frame other = confirmation;
      other[at] ^= 0x01;
      EXPECT_FALSE(decode(other)) << "byte " << at << " of function " << int{confirmation[0]};
    }
    Frame longer = confirmation;
    longer.push_back(0);
    EXPECT_FALSE(decode(longer));
    EXPECT_FALSE(decode(Frame{confirmation.begin(), confirmation.end() - 1}));
  }
}

TEST(ModbusFrame, ARefusedWriteTellsItsException) {
  for (const auto& [request, confirmation] : write_examples) {
    const Frame refusal{static_cast<std::uint8_t>(confirmation[0] | 0x80), 3};
    const auto reply =
        decode_write_reply(ModbusFraming::tcp, 7, request, 9, framed(ModbusFraming::tcp, 7, refusal, 9));
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(reply->exception, 3);
    const Frame without_reason{refusal[0], 0};
    EXPECT_FALSE(decode_write_reply(ModbusFraming::tcp, 7, request, 9,
                                    framed(ModbusFraming::tcp, 7, without_reason, 9)));
    EXPECT_FALSE(
        decode_write_reply(ModbusFraming::tcp, 7, request, 9, framed(ModbusFraming::tcp, 8, refusal, 9)));
    EXPECT_FALSE(
        decode_write_reply(ModbusFraming::tcp, 7, request, 9, framed(ModbusFraming::tcp, 7, refusal, 8)));
  }
}

TEST(ModbusFrame, FindsTheWholeAnswersAmongBytesThatArrivedUnasked) {
  const Frame registers = framed(ModbusFraming::rtu, 3, Frame{4, 2, 0, 1}, 0);
  const Frame refusal = framed(ModbusFraming::rtu, 4, Frame{0x83, 2}, 0);
  const Frame identity = framed(ModbusFraming::rtu, 5, Frame{43, 14, 2, 1, 0, 0, 1, 0, 2, 'A', 'B'}, 0);
  Frame bytes{0x00};
  for (const Frame* frame : {&registers, &refusal, &identity})
    bytes.insert(bytes.end(), frame->begin(), frame->end());
  bytes.insert(bytes.end(), registers.begin(), registers.end() - 1);
  std::vector<Frame> found;
  for (const Bytes one : answers_in(bytes)) found.emplace_back(one.begin(), one.end());
  EXPECT_THAT(found, testing::ElementsAre(registers, refusal, identity));
  EXPECT_TRUE(answers_in({}).empty());
}

}  // namespace
}  // namespace watchroom::agent
