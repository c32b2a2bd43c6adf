#include "rules/amendment.h"

namespace dutybook::rules {

bool is_reason(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

Finding without_reason(const std::string& record, std::string message) {
    Finding out;
    out.rule = "CORE-R06";
    out.code = "no_reason";
    out.severity = Severity::Reject;
    out.records = {record};
    out.id = finding_id(out.rule, out.code, out.records);
    out.path = "/reason";
    out.message = std::move(message);
    out.source = "records practice; 45 CFR 164.526, 34 CFR 99.20";
    return out;
}

std::optional<Finding> refused_change(const std::string& record, domain::Status status,
                                      std::string_view reason) {
    if (status == domain::Status::Draft || is_reason(reason)) return std::nullopt;
    return without_reason(record, "the record is " + std::string(domain::name_of(status)) +
                                      " and changes only with a reason");
}

}  // namespace dutybook::rules
