#pragma once
// For those who write many operations and go on working with them.

#include "domain/operation.h"

namespace dutybook::domain {

struct OperationLine {
    std::string text;     // what write_operation() gives
    Operation operation;  // what read_operation() gives for it
};
Result<OperationLine> write_line(const Operation& operation);

}  // namespace dutybook::domain
