// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aggregator/web/page.hpp"
#include "aggregator/web/room_json.hpp"
#include "aggregator/web/served_room.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

class ConnectionTest : public ServedRoom {
 protected:
  /// A TCP connection that says nothing.
  int connect_silently() const {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(server->port());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    return descriptor;
  }
};

TEST_F(ConnectionTest, ATooLargeHeaderIsRefused) {
  EXPECT_EQ(call({.path = "/api/v1/status", .headers = {"X-Long: " + std::string(20'000, 'x')}}).status, 431);
  EXPECT_EQ(get("/api/v1/status").status, 200);
}

TEST_F(ConnectionTest, ATooLargeBodyIsRefused) {
  EXPECT_EQ(post("/api/v1/session", std::string(200'000, 'x'), {}).status, 413);
  EXPECT_EQ(get("/api/v1/status").status, 200);
}

TEST_F(ConnectionTest, AnUnknownAddressIsAProblemInBothLanguages) {
  const Reply reply = get("/api/v1/nothing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_TRUE(Json::parse(reply.body)["title_zh"].is_string());
}

TEST_F(ConnectionTest, NoPathLeadsOutOfThePage) {
  for (const std::string path :
       {"/../../../../etc/passwd", "/assets/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd", "/assets/..%5c..%5cetc", "//etc/passwd", "/etc/passwd", "/index.html/..",
        "/.env"}) {
    const Reply reply = call({.path = path});
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_FALSE(reply.has("root:")) << path;
  }
  EXPECT_EQ(call({.path = "/%00"}).status, 400);
  EXPECT_EQ(call({.path = "/%zz"}).status, 400);
}

TEST_F(ConnectionTest, ThePageComesWithItsDefences) {
  const Reply reply = call({.path = "/"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(reply.headers.at("content-security-policy").substr(0, 19), "default-src 'self';");
  EXPECT_EQ(reply.headers.at("x-frame-options"), "DENY");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(reply.headers.at("referrer-policy"), "no-referrer");
  EXPECT_EQ(reply.headers.at("strict-transport-security"), "max-age=31536000");
  EXPECT_EQ(call({.method = "POST", .path = "/", .body = "x"}).status, 405);
}

TEST_F(ConnectionTest, AnUnchangedFileIsNotSentAgain) {
  for (const PageFile& file : page_files()) {
    const Reply whole = call({.path = std::string{file.path}});
    EXPECT_EQ(whole.body, file.bytes) << file.path;
    const Reply again =
        call({.path = std::string{file.path}, .headers = {"If-None-Match: " + whole.headers.at("etag")}});
    EXPECT_EQ(again.status, 304);
    EXPECT_TRUE(again.body.empty());
  }
}

TEST_F(ConnectionTest, HeadAnswersLikeGetWithoutABody) {
  const Reply reply = call({.method = "HEAD", .path = "/api/v1/status", .headers = {bearer(Role::viewer)}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_GT(std::stoi(reply.headers.at("content-length")), 100);
  EXPECT_TRUE(reply.body.empty());
}

TEST_F(ConnectionTest, PlainHttpGetsNothing) {
  const int descriptor = connect_silently();
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  char reply[256];
  const ssize_t count = ::recv(descriptor, reply, sizeof reply, 0);  // a TLS alert, or the end
  EXPECT_EQ(std::string_view(reply, count > 0 ? static_cast<std::size_t>(count) : 0).find("HTTP"),
            std::string_view::npos);
  ::close(descriptor);
}

TEST_F(ConnectionTest, OldTlsIsRefused) {
  CURL* curl = curl_easy_init();
  aim(curl, url("/"), folder / "ca.pem");
  curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                   long{CURL_SSLVERSION_TLSv1_0} | long{CURL_SSLVERSION_MAX_TLSv1_1});
  EXPECT_EQ(curl_easy_perform(curl), CURLE_SSL_CONNECT_ERROR);
  curl_easy_cleanup(curl);
}

TEST_F(ConnectionTest, SilentClientsHoldNeitherTheOthersNorTheStop) {
  std::vector<int> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect_silently());
  EXPECT_EQ(get("/api/v1/status").status, 200);
  const auto before = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  for (const int descriptor : silent) ::close(descriptor);
}

class CrowdedConnection : public ConnectionTest {
 protected:
  CrowdedConnection() { settings.max_connections = 10; }
};

TEST_F(CrowdedConnection, BeyondTheLimitClientsAreTurnedAwayUntilOthersLeave) {
  std::vector<int> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(connect_silently());
  EXPECT_NE(get("/api/v1/status").curl, CURLE_OK);
  for (const int descriptor : silent) ::close(descriptor);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  long status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < deadline) status = get("/api/v1/status").status;
  EXPECT_EQ(status, 200);
}

TEST_F(ConnectionTest, AMissingKeyOrATakenPortIsToldInASentence) {
  WebSettings taken = settings;
  taken.listen_port = server->port();
  WebServer second{taken, served(), clock, log};
  const auto refused = second.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text,
            fmt::format("cannot listen on 127.0.0.1:{}: Address already in use", server->port()));
  WebSettings keyless = settings;
  keyless.key_file = folder / "users.toml";
  WebServer third{keyless, served(), clock, log};
  EXPECT_NE(third.start().error().text.find("not the private key"), std::string::npos);
}

}  // namespace
}  // namespace watchroom::aggregator
