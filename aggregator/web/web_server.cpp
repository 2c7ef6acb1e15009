// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/web_server.hpp"

#include "aggregator/web/api.hpp"
#include "aggregator/web/gate.hpp"
#include "aggregator/web/listener.hpp"
#include "aggregator/web/refusal.hpp"
#include "aggregator/web/static_page.hpp"

namespace watchroom::aggregator {

class WebServer::Inside final : public Site {
 public:
  Inside(WebSettings settings, const Served& served, const Clock& clock, const Log& log)
      : users_{served.users},
        gate_{{.length = settings.session_length, .idle = settings.session_idle},
              served.users,
              served.audit,
              served.refusals,
              clock,
              log},
        api_{served, gate_, clock, [this] { return listener_.figures(); }, log},
        feed_{served.room, clock},
        listener_{std::move(settings), *this, log} {}

  Listener& listener() { return listener_; }

  // Site
  std::variant<Answer, Work> plan(const Request& request) override {
    const Match found = match(request.method, request.path);
    if (found.route)
      return Work{found.route->lane,
                  [this, &request, found] { return api_.answer(*found.route, found.places, request); }};
    if (!found.allowed.empty()) {
      Answer refused = refuse(Refusal::wrong_method, fmt::format("Possible here: {}.", found.allowed),
                              fmt::format("此处支持：{}。", found.allowed));
      refused.headers.emplace_back("Allow", found.allowed);
      return refused;
    }
    if (auto page = static_page(request)) return *std::move(page);
    return refuse(Refusal::not_found,
                  "There is nothing at this address; /api/openapi.json tells what there is.",
                  "该地址不存在，接口说明见 /api/openapi.json。");
  }
  bool may_keep_stream(const Visitor& visitor) override { return gate_.still_may(visitor, Action::view); }
  std::map<Reach, Feed::Round> feed(const std::map<Reach, Feed::Wanted>& wanted) override {
    return feed_.round(wanted);
  }
  void look_around() override { users_.reread_if_changed(); }

 private:
  Users& users_;
  Gate gate_;
  Api api_;
  Feed feed_;
  Listener listener_;
};

WebServer::WebServer(WebSettings settings, const Served& served, const Clock& clock, Log log)
    : inside_{std::make_unique<Inside>(std::move(settings), served, clock, log)} {}
WebServer::~WebServer() { stop(); }
Result<void> WebServer::start() { return inside_->listener().start(); }
void WebServer::stop() { inside_->listener().stop(); }
std::uint16_t WebServer::port() const { return inside_->listener().port(); }

}  // namespace watchroom::aggregator
