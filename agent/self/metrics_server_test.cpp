// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/metrics_server.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "agent/self/http_peer.hpp"

namespace watchroom::agent {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A server with the loop that its owner would run.
class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    server_ = *MetricsServer::open(
        {"127.0.0.1", port_}, [this](std::string_view path) { return page(path); }, Log::quiet());
    loop_ = std::thread{[this] {
      while (!is_over_) {
        pollfd awaited{server_->descriptor(), POLLIN, 0};
        ::poll(&awaited, 1, 20);
        server_->serve();
      }
    }};
  }
  ~ServerTest() override {
    is_over_ = true;
    loop_.join();
  }
  std::optional<MetricsPage> page(std::string_view path) {
    if (path == "/metrics") return MetricsPage{200, "text/plain; version=0.0.4; charset=utf-8", big_};
    if (path == "/healthz") return MetricsPage{503, "text/plain; charset=utf-8", "the journal is failing\n"};
    return std::nullopt;
  }
  std::string ask(const std::string& path, const std::string& options = "") const {
    return ask_with_curl(fmt::format("{} http://127.0.0.1:{}{}", options, port_, path));
  }

  const int port_ = TakenPort::a_free_one();
  const std::string big_ = std::string(300'000, 'x') + "\n";  // more than a socket takes at once
  std::unique_ptr<MetricsServer> server_;
  std::atomic<bool> is_over_ = false;
  std::thread loop_;
};

TEST_F(ServerTest, AnswersGet) {
  const std::string answer = ask("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_EQ(body_of(answer), big_);
  EXPECT_EQ(body_of(ask("/metrics?name[]=x")), big_) << "what follows the question mark is not the path";
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  const std::string answer = ask("/metrics", "--head");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr(fmt::format("Content-Length: {}\r\n", big_.size())));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(ServerTest, PassesOnThePagesStatus) {
  const std::string answer = ask("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(answer), "the journal is failing\n");
}

TEST_F(ServerTest, HasNothingElse) {
  for (const char* path : {"/", "/metrics/", "/metrics/../etc/passwd", "/%2e%2e/etc/passwd", "/METRICS"})
    EXPECT_THAT(ask(path, "--path-as-is"), StartsWith("HTTP/1.1 404 ")) << path;
}

TEST_F(ServerTest, TakesNothing) {
  for (const char* options : {"--data x=1", "--request DELETE", "--request PUT --data-binary @/proc/self/exe",
                              "--request OPTIONS", "--request TRACE"}) {
    const std::string answer = ask("/metrics", options);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 405 ")) << options;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << options;
  }
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 503 ")) << "and lives on";
}

TEST_F(ServerTest, ARequestThatIsTooLongIsRefused) {
  EXPECT_THAT(ask("/" + std::string(20'000, 'a')), Not(HasSubstr(" 200 ")));
  EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(ServerTest, ConnectionsThatSayNothingKeepNobodyOutForLong) {
  std::vector<int> idle;
  for (int i = 0; i < 12; ++i) {
    idle.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(idle.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_THAT(ask("/healthz", "--retry 5 --retry-all-errors --retry-delay 1"),
              HasSubstr("the journal is failing"));
  for (const int socket : idle) ::close(socket);
}

TEST(MetricsServer, SaysWhoseFaultItIsThatItCannotListen) {
  const TakenPort taken;
  const auto nothing = [](std::string_view) { return std::optional<MetricsPage>{}; };
  const auto opened = MetricsServer::open({"127.0.0.1", taken.port()}, nothing, Log::quiet());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::conflict);
  EXPECT_EQ(opened.error().text, fmt::format("127.0.0.1:{}: Address already in use", taken.port()));
  const auto foreign = MetricsServer::open({"192.0.2.1", taken.port()}, nothing, Log::quiet());
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().text, HasSubstr("Cannot assign requested address"));
}

}  // namespace
}  // namespace watchroom::agent
