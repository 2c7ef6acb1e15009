// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// The closed list of points. One line a kind; sorted by what it belongs to.
#include <array>

#include "proto/model/point_name.hpp"

namespace watchroom {
namespace {

constexpr std::array kinds{
    // the device itself
    PointKind{"communication.state", Unit::state, "通信状态", "Communication"},
    PointKind{"communication.text", Unit::text, "通信说明", "Communication detail"},
    PointKind{"device.manufacturer", Unit::text, "制造商", "Manufacturer"},
    PointKind{"device.model", Unit::text, "型号", "Model"},
    PointKind{"device.serial", Unit::text, "序列号", "Serial number"},
    PointKind{"device.firmware", Unit::text, "固件版本", "Firmware"},
    PointKind{"device.status", Unit::state, "设备状态", "Device status"},
    PointKind{"device.fault", Unit::state, "设备故障", "Device fault"},
    PointKind{"device.fault_code", Unit::count, "故障代码", "Fault code"},
    PointKind{"device.temperature", Unit::celsius, "设备温度", "Device temperature"},
    PointKind{"device.uptime", Unit::second, "运行时间", "Uptime"},
    PointKind{"device.counter", Unit::count, "计数", "Counter"},
    // room climate
    PointKind{"ambient[].temperature", Unit::celsius, "温度", "Temperature"},
    PointKind{"ambient[].humidity", Unit::percent_rh, "湿度", "Humidity"},
    PointKind{"ambient[].dew_point", Unit::celsius, "露点", "Dew point"},
    PointKind{"ambient[].pressure_difference", Unit::pascal, "压差", "Pressure difference"},
    PointKind{"ambient[].air_speed", Unit::meter_per_second, "风速", "Air speed"},
    // water
    PointKind{"leak[].state", Unit::state, "漏水", "Water leak"},
    PointKind{"leak[].distance", Unit::meter, "漏水位置", "Leak distance"},
    PointKind{"leak[].cable_fault", Unit::state, "感应线断线", "Sensing cable break"},
    PointKind{"leak[].contamination", Unit::state, "感应线污染", "Sensing cable contamination"},
    PointKind{"leak[].current", Unit::milliampere, "漏电流", "Leakage current"},
    PointKind{"leak[].cable_length", Unit::meter, "感应线长度", "Sensing cable length"},
    PointKind{"leak[].cable_resistance", Unit::ohm, "感应线电阻", "Sensing cable resistance"},
    // contacts, doors, fire
    PointKind{"contact[].state", Unit::state, "干接点", "Dry contact"},
    PointKind{"relay[].state", Unit::state, "继电器", "Relay"},
    PointKind{"door[].state", Unit::state, "门", "Door"},
    PointKind{"smoke[].state", Unit::state, "烟感", "Smoke"},
    PointKind{"fire[].alarm", Unit::state, "火警", "Fire alarm"},
    PointKind{"gas_cylinder[].pressure", Unit::megapascal, "气瓶压力", "Gas cylinder pressure"},
    PointKind{"gas_cylinder[].temperature", Unit::celsius, "气瓶温度", "Gas cylinder temperature"},
    PointKind{"gas_cylinder[].weight_loss", Unit::percent, "气瓶失重", "Gas cylinder weight loss"},
    // power: incoming, outgoing, per phase by instance L1 L2 L3 (line voltages L1L2 …)
    PointKind{"input[].voltage", Unit::volt, "输入电压", "Input voltage"},
    PointKind{"input[].current", Unit::ampere, "输入电流", "Input current"},
    PointKind{"input[].frequency", Unit::hertz, "输入频率", "Input frequency"},
    PointKind{"input[].power", Unit::watt, "输入功率", "Input power"},
    PointKind{"input[].apparent_power", Unit::volt_ampere, "输入视在功率", "Input apparent power"},
    PointKind{"input[].power_factor", Unit::power_factor, "输入功率因数", "Input power factor"},
    PointKind{"input[].energy", Unit::kilowatt_hour, "输入电能", "Input energy"},
    PointKind{"input[].state", Unit::state, "输入状态", "Input state"},
    PointKind{"input.line_bad_count", Unit::count, "市电异常次数", "Input line failures"},
    PointKind{"input.source", Unit::state, "供电来源", "Input source"},
    PointKind{"output[].voltage", Unit::volt, "输出电压", "Output voltage"},
    PointKind{"output[].current", Unit::ampere, "输出电流", "Output current"},
    PointKind{"output[].frequency", Unit::hertz, "输出频率", "Output frequency"},
    PointKind{"output[].power", Unit::watt, "输出功率", "Output power"},
    PointKind{"output[].apparent_power", Unit::volt_ampere, "输出视在功率", "Output apparent power"},
    PointKind{"output[].power_factor", Unit::power_factor, "输出功率因数", "Output power factor"},
    PointKind{"output[].load", Unit::percent, "负载率", "Output load"},
    PointKind{"output[].energy", Unit::kilowatt_hour, "输出电能", "Output energy"},
    PointKind{"output.source", Unit::state, "输出来源", "Output source"},
    PointKind{"bypass[].voltage", Unit::volt, "旁路电压", "Bypass voltage"},
    PointKind{"bypass[].current", Unit::ampere, "旁路电流", "Bypass current"},
    PointKind{"bypass[].frequency", Unit::hertz, "旁路频率", "Bypass frequency"},
    PointKind{"bypass[].power", Unit::watt, "旁路功率", "Bypass power"},
    // meters
    PointKind{"meter[].voltage", Unit::volt, "电压", "Voltage"},
    PointKind{"meter[].current", Unit::ampere, "电流", "Current"},
    PointKind{"meter[].power", Unit::watt, "有功功率", "Active power"},
    PointKind{"meter[].reactive_power", Unit::var, "无功功率", "Reactive power"},
    PointKind{"meter[].apparent_power", Unit::volt_ampere, "视在功率", "Apparent power"},
    PointKind{"meter[].power_factor", Unit::power_factor, "功率因数", "Power factor"},
    PointKind{"meter[].frequency", Unit::hertz, "频率", "Frequency"},
    PointKind{"meter[].energy_import", Unit::kilowatt_hour, "正向电能", "Imported energy"},
    PointKind{"meter[].energy_export", Unit::kilowatt_hour, "反向电能", "Exported energy"},
    PointKind{"meter[].energy", Unit::kilowatt_hour, "总电能", "Total energy"},
    PointKind{"meter[].voltage_thd", Unit::percent, "电压谐波畸变率", "Voltage THD"},
    PointKind{"meter[].current_thd", Unit::percent, "电流谐波畸变率", "Current THD"},
    // UPS
    PointKind{"ups.mode", Unit::state, "UPS 运行模式", "UPS mode"},
    PointKind{"ups.alarm_count", Unit::count, "UPS 告警数", "UPS alarms present"},
    PointKind{"ups.overload", Unit::state, "UPS 过载", "UPS overload"},
    PointKind{"ups.test_result", Unit::state, "UPS 自检结果", "UPS test result"},
    PointKind{"ups.temperature", Unit::celsius, "UPS 温度", "UPS temperature"},
    PointKind{"battery[].status", Unit::state, "电池状态", "Battery status"},
    PointKind{"battery[].charge", Unit::percent, "电池电量", "Battery charge"},
    PointKind{"battery[].runtime", Unit::minute, "电池后备时间", "Battery runtime"},
    PointKind{"battery[].seconds_on_battery", Unit::second, "电池已放电时间", "Time on battery"},
    PointKind{"battery[].voltage", Unit::volt, "电池电压", "Battery voltage"},
    PointKind{"battery[].current", Unit::ampere, "电池电流", "Battery current"},
    PointKind{"battery[].temperature", Unit::celsius, "电池温度", "Battery temperature"},
    PointKind{"battery[].resistance", Unit::ohm, "电池内阻", "Battery resistance"},
    PointKind{"battery[].replace", Unit::state, "电池需更换", "Battery replacement due"},
    PointKind{"battery[].low", Unit::state, "电池电量低", "Battery low"},
    PointKind{"battery[].connection", Unit::state, "电池连接", "Battery connection"},
    PointKind{"battery.charger", Unit::state, "充电状态", "Charger state"},
    // rack power distribution
    PointKind{"pdu[].power", Unit::watt, "PDU 功率", "PDU power"},
    PointKind{"pdu[].apparent_power", Unit::volt_ampere, "PDU 视在功率", "PDU apparent power"},
    PointKind{"pdu[].power_factor", Unit::power_factor, "PDU 功率因数", "PDU power factor"},
    PointKind{"pdu[].energy", Unit::kilowatt_hour, "PDU 电能", "PDU energy"},
    PointKind{"pdu[].load_state", Unit::state, "PDU 负载状态", "PDU load state"},
    PointKind{"pdu[].power_supply", Unit::state, "PDU 电源状态", "PDU power supply"},
    PointKind{"phase[].voltage", Unit::volt, "相电压", "Phase voltage"},
    PointKind{"phase[].current", Unit::ampere, "相电流", "Phase current"},
    PointKind{"phase[].power", Unit::watt, "相功率", "Phase power"},
    PointKind{"phase[].apparent_power", Unit::volt_ampere, "相视在功率", "Phase apparent power"},
    PointKind{"phase[].power_factor", Unit::power_factor, "相功率因数", "Phase power factor"},
    PointKind{"phase[].load_state", Unit::state, "相负载状态", "Phase load state"},
    PointKind{"bank[].current", Unit::ampere, "支路电流", "Bank current"},
    PointKind{"bank[].load_state", Unit::state, "支路负载状态", "Bank load state"},
    PointKind{"outlet[].state", Unit::state, "插座状态", "Outlet state"},
    PointKind{"outlet[].load_state", Unit::state, "插座负载状态", "Outlet load state"},
    PointKind{"outlet[].current", Unit::ampere, "插座电流", "Outlet current"},
    PointKind{"outlet[].power", Unit::watt, "插座功率", "Outlet power"},
    PointKind{"outlet[].energy", Unit::kilowatt_hour, "插座电能", "Outlet energy"},
    // transfer switches
    PointKind{"ats.selected_source", Unit::state, "ATS 当前电源", "Selected source"},
    PointKind{"ats.redundancy", Unit::state, "ATS 冗余", "Source redundancy"},
    PointKind{"ats.source[].state", Unit::state, "ATS 电源状态", "Source state"},
    // precision cooling
    PointKind{"cooling.state", Unit::state, "空调运行状态", "Cooling unit state"},
    PointKind{"cooling.alarm", Unit::state, "空调告警", "Cooling unit alarm"},
    PointKind{"cooling.supply_temperature", Unit::celsius, "送风温度", "Supply air temperature"},
    PointKind{"cooling.return_temperature", Unit::celsius, "回风温度", "Return air temperature"},
    PointKind{"cooling.return_humidity", Unit::percent_rh, "回风湿度", "Return air humidity"},
    PointKind{"cooling.temperature_set_point", Unit::celsius, "温度设定值", "Temperature set point"},
    PointKind{"cooling.humidity_set_point", Unit::percent_rh, "湿度设定值", "Humidity set point"},
    PointKind{"cooling.fan_speed", Unit::percent, "风机转速", "Fan speed"},
    PointKind{"cooling.compressor[].state", Unit::state, "压缩机状态", "Compressor state"},
};

}  // namespace

std::span<const PointKind> point_kinds() { return kinds; }

}  // namespace watchroom
