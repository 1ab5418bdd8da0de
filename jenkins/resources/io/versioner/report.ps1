# Calls versioner-ci for the Jenkins library on Windows; the same as report.sh. All that users and hosts say comes in
# variables; VERSIONER_HOOK_* are the library's own. Prints the JSON of `versioner-ci report`, if it ran, and a last line
# `exit WORD`: see Answer.groovy.
$ErrorActionPreference = 'Continue'
$PSNativeCommandUseErrorActionPreference = $false
$OutputEncoding = New-Object System.Text.UTF8Encoding $false
$env:PYTHONUTF8 = '1'

function Write-Notice([string] $Text) { [Console]::Error.WriteLine("versioner-ci: $Text") }
function Stop-Hook([string] $Word) {
  Write-Output ''
  Write-Output "exit $Word"
  exit 0
}

if ('1', 't', 'y', 'true', 'yes', 'on' -contains $env:VERSIONER_DISABLED) {
  Write-Notice 'switched off by VERSIONER_DISABLED: nothing is sent'
  Stop-Hook '0'
}

# Windows PowerShell mends no quotes in the arguments of programs, so text from outside goes by a file.
$words = @($env:VERSIONER_HOOK_KIND)
if ($env:VERSIONER_HOOK_STATUS) { $words += $env:VERSIONER_HOOK_STATUS }
else { $words += "--host-status=$env:VERSIONER_HOOK_HOST_STATUS" }
$words += '--json'
if ($env:VERSIONER_HOOK_ERROR_CODE -match '^[\w.-]{1,40}$') { $words += "--error-code=$env:VERSIONER_HOOK_ERROR_CODE" }
if ($env:VERSIONER_HOOK_REASON -match '^[a-z_]{1,20}$') { $words += "--reason=$env:VERSIONER_HOOK_REASON" }

$code = 'none'
$file = $null
try {
  if ($env:VERSIONER_HOOK_ERROR) {
    $file = [IO.Path]::GetTempFileName()
    [IO.File]::WriteAllText($file, $env:VERSIONER_HOOK_ERROR, $OutputEncoding)
    $words += "--error-file=$file"
  }
  if (Get-Command versioner-ci -CommandType Application -ErrorAction SilentlyContinue) {
    & versioner-ci report @words
    $code = "$LASTEXITCODE"
  } else {
    $python = $null
    foreach ($name in 'python3', 'python') {
      if (-not (Get-Command $name -CommandType Application -ErrorAction SilentlyContinue)) { continue }
      & $name -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>&1 | Out-Null
      if ($LASTEXITCODE -eq 0) {
        $python = $name
        break
      }
    }
    if (-not $python) {
      Write-Notice 'warning: neither versioner-ci nor Python 3.10 or newer is on this agent: nothing is reported'
    } else {
      $core = $env:VERSIONER_HOOK_FIND | & $python -I '-'
      $found = $LASTEXITCODE
      if ($found -eq 7) { Stop-Hook 'absent' }
      if ($found -eq 0 -and "$core".EndsWith('.pyz')) {
        & $python -I "$core" report @words
        $code = "$LASTEXITCODE"
      } elseif ($found -eq 0 -and $core) {
        & "$core\Scripts\python.exe" -I -m versioner_ci report @words
        $code = "$LASTEXITCODE"
      }
    }
  }
} catch {
  Write-Notice "warning: $($_.Exception.Message): nothing is reported"
} finally {
  if ($file) { Remove-Item -LiteralPath $file -ErrorAction SilentlyContinue }
}
if ('0', '4', '5', 'none' -notcontains $code) {
  Write-Notice "warning: versioner-ci ended with exit code ${code}: nothing is reported"
}
$isStart = "$env:VERSIONER_HOOK_KIND/$env:VERSIONER_HOOK_STATUS" -eq 'deployment/started'
if ($code -eq 'none' -and $isStart -and $env:VERSIONER_GATE -and 'on', 'off' -notcontains $env:VERSIONER_GATE) {
  Stop-Hook 'shut'
}
Stop-Hook $code
