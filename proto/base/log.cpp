// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "proto/base/utf8.hpp"

namespace watchroom {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  std::abort();
}

}  // namespace

class Log::Sink {
 public:
  Sink(LogLevel level, spdlog::sink_ptr out) : logger{"watchroom", std::move(out)} {
    logger.set_level(to_spdlog(level));
    logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger.flush_on(spdlog::level::debug);
  }
  spdlog::logger logger;
};

Log Log::to_stderr(LogLevel level) {
  Log log;
  log.sink_ = std::make_shared<Sink>(level, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return log;
}

Log Log::quiet() { return Log{}; }

Log Log::tagged(std::string_view tag) const {
  Log log = *this;
  log.tag_ = tag;
  return log;
}

bool Log::wants(LogLevel level) const { return sink_ && sink_->logger.should_log(to_spdlog(level)); }

namespace {

/// Much of what is logged comes from elsewhere: no line of it may look like one of ours, and no terminal obey
/// it.
std::string without_forgery(std::string_view text) {
  std::string out;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    out += printable(text.substr(0, end)) + "\n    ";
    text.remove_prefix(end + 1);
  }
  return out + printable(text);
}

}  // namespace

void Log::write(LogLevel level, std::string_view untrusted) const {
  const std::string text = without_forgery(untrusted);
  if (tag_.empty())
    sink_->logger.log(to_spdlog(level), text);
  else
    sink_->logger.log(to_spdlog(level), "{}: {}", tag_, text);
}

}  // namespace watchroom
