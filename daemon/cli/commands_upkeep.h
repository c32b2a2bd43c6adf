#pragma once
// The care commands that work without a daemon too.

#include "cli/command.h"

namespace dutybook::cli {

void add_doctor_command(Commands& commands);   // doctor
void add_backup_commands(Commands& commands);  // backup restore-backup

}  // namespace dutybook::cli
