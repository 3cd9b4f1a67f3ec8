"""A small part of PowerShell: `evaluator.run_powershell` carries a script out in a Windows guest."""
