// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors

/** Every sentence of the page, both languages side by side. `{name}` is filled in by `say`. */
export const words = {
  product: { zh: "机房值守", en: "Watchroom" },
  skip_to_room: { zh: "跳到机房实时状态", en: "Skip to the live room" },
  switch_language: { zh: "English", en: "中文" },

  // Log-in
  log_in: { zh: "登录", en: "Log in" },
  logging_in: { zh: "正在登录…", en: "Logging in…" },
  log_out: { zh: "退出", en: "Log out" },
  user_name: { zh: "用户名", en: "User name" },
  password: { zh: "密码", en: "Password" },
  code: { zh: "验证码（身份验证器上的六位数字）", en: "Code (six digits of your authenticator)" },
  code_needed: { zh: "此用户登录需要验证码", en: "This user needs a one-time code" },
  wrong_code: { zh: "验证码错误、过期或已使用，请等待下一个", en: "The code is wrong, too old or used: wait for the next one" },
  new_password_head: { zh: "请设置自己的密码", en: "Set a password of your own" },
  new_password_why: { zh: "当前密码由他人设置，更改后才能使用", en: "Somebody else has set the present one; change it to go on" },
  old_password: { zh: "当前密码", en: "Present password" },
  new_password: { zh: "新密码（至少 10 个字符）", en: "New password (10 characters or more)" },
  new_password_again: { zh: "再输一次新密码", en: "New password again" },
  passwords_differ: { zh: "两次输入的新密码不一致", en: "The two new passwords differ" },
  wrong_old_password: { zh: "当前密码不对", en: "The present password is wrong" },
  set_password: { zh: "设置密码", en: "Set password" },
  show_password: { zh: "显示密码", en: "Show password" },
  caps_lock: { zh: "大写锁定已打开", en: "Caps Lock is on" },
  log_in_for: { zh: "登录后查看机房实时状态和告警", en: "Log in to see the room and its alarms live" },
  wrong_password: { zh: "用户名或密码不对", en: "Wrong user name or password" },
  throttled: { zh: "尝试次数太多，请稍后再试", en: "Too many attempts, try again later" },
  throttled_for: { zh: "尝试次数太多，请 {n} 秒后再试", en: "Too many attempts, try again in {n} s" },
  server_unreachable: { zh: "连不上监控中心，请检查网络或监控中心", en: "The server does not answer: check the network or the server" },
  server_failed: { zh: "监控中心出错（{n}）", en: "The server failed ({n})" },
  not_allowed: { zh: "您无权做这件事", en: "You may not do this" },
  refused: { zh: "监控中心拒绝了（{n}）", en: "The server refused ({n})" },
  session_over: { zh: "登录已过期，请重新登录", en: "Your session has ended, please log in again" },
  nobody_watches: { zh: "值守已中断：此屏看不到任何告警", en: "Nobody is watching: this screen shows no alarms" },
  opening: { zh: "正在连接监控中心…", en: "Connecting to the server…" },
  try_again: { zh: "立即重试", en: "Try now" },
  log_out_failed: { zh: "退出没有成功，您仍处于登录状态", en: "Log-out failed, you are still logged in" },

  role_viewer: { zh: "观察员", en: "viewer" },
  role_operator: { zh: "值班员", en: "operator" },
  role_shift_lead: { zh: "值班长", en: "shift lead" },
  role_administrator: { zh: "管理员", en: "administrator" },
  role_auditor: { zh: "审计员", en: "auditor" },

  // Status strip
  status: { zh: "系统状态", en: "System status" },
  broker: { zh: "消息服务器", en: "Broker" },
  broker_connected: { zh: "已连接", en: "connected" },
  broker_unreachable: { zh: "连不上", en: "unreachable" },
  agents: { zh: "采集代理", en: "Agents" },
  points: { zh: "有效测点", en: "Good points" },
  mails: { zh: "邮件", en: "Mail" },
  mails_none: { zh: "已发完", en: "all sent" },
  mails_waiting: { zh: "待发 {n}", en: "{n} waiting" },
  mails_failed: { zh: "失败 {n}", en: "{n} failed" },
  version: { zh: "版本", en: "Version" },
  clock_differs: { zh: "本机时钟与监控中心相差 {n}", en: "This computer's clock is {n} off the server's" },
  server_time: { zh: "监控中心时间", en: "Server time" },
  not_live: { zh: "不是实时", en: "not live" },

  // Banners
  link_lost: { zh: "与监控中心的连接已中断", en: "Connection to the server lost" },
  link_lost_more: {
    zh: "下面显示的不是实时值，新告警也看不到。已中断 {ago}，{wait}",
    en: "What is shown below is not live, and new alarms cannot be seen. Lost for {ago}, {wait}",
  },
  retry_in: { zh: "{n} 秒后重连", en: "reconnecting in {n} s" },
  retrying: { zh: "正在重连…", en: "reconnecting…" },
  broker_lost: { zh: "消息服务器连不上", en: "Broker unreachable" },
  broker_lost_more: {
    zh: "采集代理状态未知，并不是离线。自 {since} 起收不到数据，下面没有实时值",
    en: "Agents are unknown, not offline. No data since {since}; nothing below is live",
  },
  core_stuck: { zh: "监控中心没有响应", en: "The centre is stuck" },
  core_stuck_more: {
    zh: "下面显示的不是实时值，新告警也看不到。监控中心已 {n} 秒没有更新",
    en: "What is shown below is not live, and new alarms cannot be seen. The centre has said nothing for {n} s",
  },
  store_failing: { zh: "监控中心的磁盘拒绝写入", en: "The centre's disk refuses" },
  store_failing_more: {
    zh: "告警照常判断和通知，但读数没有入库，请检查磁盘空间",
    en: "Alarms go on, but readings are not stored: check the disk's space",
  },
  intake_full: { zh: "监控中心的接收队列快满了", en: "The centre's intake queue is nearly full" },
  intake_full_more: {
    zh: "排队 {n} / {m} 条，显示会滞后",
    en: "{n} of {m} messages wait: what is shown lags behind",
  },
  alarms_quiet: { zh: "没有告警", en: "No alarms" },
  alarms_handled: { zh: "没有未确认的告警，{n} 条已确认、尚未恢复", en: "No unacknowledged alarms; {n} acknowledged and still there" },
  points_missing: { zh: "{n} 个测点没有有效数据", en: "{n} points have no good data" },
  agents_missing: { zh: "{n} 个采集代理不在线", en: "{n} agents are not online" },
  no_points: { zh: "还没有测点", en: "No points yet" },
  and_more: { zh: "另有 {n} 条未确认", en: "{n} more unacknowledged" },
  go_to_alarm: { zh: "去处理", en: "Go to it" },

  // Severity, states
  severity_critical: { zh: "紧急", en: "Critical" },
  severity_major: { zh: "重要", en: "Major" },
  severity_minor: { zh: "次要", en: "Minor" },
  severity_warning: { zh: "提示", en: "Warning" },
  alarm_unacknowledged: { zh: "未确认", en: "unacknowledged" },
  alarm_acknowledged: { zh: "已确认，仍在", en: "acknowledged, still there" },
  alarm_returned_unacknowledged: { zh: "已恢复，未确认", en: "returned, unacknowledged" },
  alarm_normal: { zh: "已结束", en: "over" },
  agent_online: { zh: "在线", en: "online" },
  agent_offline: { zh: "离线", en: "offline" },
  agent_unknown: { zh: "状态未知", en: "unknown" },
  communication_ok: { zh: "通信正常", en: "answers" },
  communication_no_answer: { zh: "无应答", en: "no answer" },
  communication_refused: { zh: "拒绝请求", en: "refuses" },
  communication_not_authorized: { zh: "认证失败", en: "not authorized" },
  communication_corrupt: { zh: "应答损坏", en: "corrupt answers" },
  communication_not_connected: { zh: "连接不上", en: "not connected" },
  communication_removed: { zh: "已移除", en: "removed" },
  communication_unknown: { zh: "通信未知", en: "not known" },
  quality_good: { zh: "有效", en: "good" },
  quality_clock_unsure: { zh: "时钟不可信", en: "clock unsure" },
  quality_stale: { zh: "过期", en: "stale" },
  quality_bad: { zh: "无效", en: "bad" },
  quality_unknown: { zh: "未知", en: "unknown" },
  yes: { zh: "是", en: "yes" },
  no: { zh: "否", en: "no" },

  // Alarms
  alarms: { zh: "告警", en: "Alarms" },
  alarms_open: { zh: "当前", en: "Open" },
  alarms_history: { zh: "历史", en: "History" },
  no_alarms_open: { zh: "没有未结束的告警", en: "No open alarms" },
  no_alarms_ever: { zh: "还没有告警记录", en: "No alarms recorded yet" },
  loading: { zh: "正在读取…", en: "Loading…" },
  more: { zh: "显示更多", en: "Show more" },
  raised: { zh: "发生", en: "Raised" },
  cleared: { zh: "恢复", en: "Cleared" },
  acknowledged_by: { zh: "{who} 确认", en: "Acknowledged by {who}" },
  lasting: { zh: "已 {n}", en: "for {n}" },
  value: { zh: "值", en: "Value" },
  limit: { zh: "限值", en: "Limit" },
  mail_sent: { zh: "邮件已发", en: "mail sent" },
  mail_waiting: { zh: "邮件待发", en: "mail waiting" },
  mail_failed: { zh: "邮件发送失败", en: "mail failed" },
  mail_none: { zh: "不发邮件", en: "no mail" },
  acknowledge: { zh: "确认", en: "Acknowledge" },
  acknowledge_now: { zh: "确认此告警", en: "Acknowledge it" },
  acknowledging: { zh: "正在确认…", en: "Acknowledging…" },
  cancel: { zh: "取消", en: "Cancel" },
  comment: { zh: "备注（可不填）", en: "Comment (optional)" },
  from_profile: { zh: "设备模板", en: "from its profile" },
  show_device: { zh: "查看设备", en: "Show device" },
  new_alarm: { zh: "新告警：{severity}，{title}，{where}", en: "New alarm: {severity}, {title}, {where}" },

  // Sound
  sound_off: { zh: "声音：关", en: "Sound: off" },
  sound_on: { zh: "声音：开", en: "Sound: on" },
  sound_blocked: { zh: "声音被浏览器挡住，点一下恢复", en: "Sound blocked by the browser, click to resume" },
  sound_why: {
    zh: "浏览器要求先点一下才允许发声。打开后，有未确认告警或连接中断时会响。",
    en: "Browsers allow sound only after a click. Once on, it sounds while alarms are unacknowledged or the connection is lost.",
  },

  // Room
  room: { zh: "机房实时状态", en: "Live room" },
  search: { zh: "搜索设备、测点、厂家…（按 / ）", en: "Search device, point, maker… (press /)" },
  only_abnormal: { zh: "只看异常", en: "Only abnormal" },
  shown_of: { zh: "显示 {n} / {m} 个测点", en: "{n} of {m} points shown" },
  nothing_found: { zh: "没有符合条件的测点", en: "No point matches" },
  nothing_abnormal: { zh: "没有异常的测点", en: "No abnormal point" },
  room_empty: { zh: "还没有收到任何采集代理的数据", en: "No agent has sent anything yet" },
  clear_filter: { zh: "清除筛选", en: "Clear the filter" },
  agent_itself: { zh: "采集代理自身", en: "The agent itself" },
  since: { zh: "自 {since}", en: "since {since}" },
  journal_lost: { zh: "已丢失 {n} 条记录", en: "{n} records lost" },
  journal_missing: { zh: "{n} 条记录已无法补回", en: "{n} records can no longer be had" },
  class_core: { zh: "核心", en: "core" },
  class_key: { zh: "关键", en: "key" },
  class_general: { zh: "一般", en: "general" },
  class_of: { zh: "{name} 的等级", en: "Class of {name}" },
  class_means: {
    zh: "等级决定采集：核心最密，关键其次，一般最疏。",
    en: "The class says how often it is asked: core most, key less, general least.",
  },
  poll_interval: { zh: "现每 {n} 秒采集一次。", en: "Asked every {n} s now." },
  class_pending: { zh: "现为{now}，已下发{wanted}，等待生效", en: "{now} now; {wanted} asked for, not yet carried out" },
  class_not_carried_out: { zh: "改为{wanted}未能生效", en: "{wanted} was not carried out" },
  class_configured: { zh: "（配置文件：{configured}）", en: "(settings file: {configured})" },
  last_value: { zh: "上次", en: "last" },
  never_read: { zh: "从未读到", en: "never read" },
  no_reason: { zh: "原因不明", en: "no reason given" },
  show_rest: { zh: "展开其余 {n} 个测点", en: "Show {n} more points" },
  hide_rest: { zh: "收起", en: "Show fewer" },
  last_hour: { zh: "最近 1 小时：最低 {low}，最高 {high}", en: "Last hour: lowest {low}, highest {high}" },

  // Times
  just_now: { zh: "刚刚", en: "now" },
  seconds_ago: { zh: "{n} 秒前", en: "{n} s ago" },
  minutes_ago: { zh: "{n} 分钟前", en: "{n} min ago" },
  hours_ago: { zh: "{n} 小时前", en: "{n} h ago" },
  days_ago: { zh: "{n} 天前", en: "{n} d ago" },
  seconds: { zh: "{n} 秒", en: "{n} s" },
  minutes: { zh: "{n} 分钟", en: "{n} min" },
  hours: { zh: "{n} 小时 {m} 分", en: "{n} h {m} min" },
  days: { zh: "{n} 天 {m} 小时", en: "{n} d {m} h" },
} satisfies Record<string, Record<Language, string>>;

export type Language = "zh" | "en";
export type Word = keyof typeof words;

/** The sentence in the given language with its `{blanks}` filled. */
export function say_in(language: Language, word: Word, blanks: Record<string, string | number> = {}): string {
  return words[word][language].replace(/\{(\w+)\}/g, (blank, name: string) => String(blanks[name] ?? blank));
}

/** A word whose last part came from the server; anything unheard of is shown as it came. */
export function word_or(language: Language, stem: string, part: string | null | undefined): string {
  const word = `${stem}_${part ?? ""}`;
  return Object.hasOwn(words, word) ? words[word as Word][language] : (part ?? "");
}
