# Completion of docker-machine for PowerShell, and its `use`. The program itself says what can stand at the cursor.

Register-ArgumentCompleter -Native -CommandName docker-machine, docker-machine.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $elements = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } | ForEach-Object { $_.ToString() })
    $typed = @($elements | Select-Object -Skip 1)
    # Before 7.3 PowerShell drops an empty argument unless it is quoted once more.
    if ($wordToComplete -eq '') { $typed += if ($PSVersionTable.PSVersion -ge [version]'7.3') { '' } else { '""' } }
    $program = (Get-Command -CommandType Application -Name $elements[0] | Select-Object -First 1).Source
    $lines = @(& $program __complete '--' @typed 2>$null)
    $lines | Select-Object -Skip 1 | ForEach-Object {
        $word, $description = $_ -split "`t", 2
        if (-not $description) { $description = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $description)
    }
}

# `docker-machine use NAME` sets up this shell for a machine. Set DOCKER_MACHINE_WRAPPED to another value to do without.
if ($null -eq $env:DOCKER_MACHINE_WRAPPED -or $env:DOCKER_MACHINE_WRAPPED -eq 'true') {
    function docker-machine {
        $program = (Get-Command -CommandType Application -Name docker-machine | Select-Object -First 1).Source
        if ($args.Count -eq 0 -or $args[0] -ne 'use') { & $program @args; return }
        $options = @($args | Select-Object -Skip 1)
        $lines = & $program env --shell powershell @options
        if ($LASTEXITCODE -ne 0) { return }
        $lines | Invoke-Expression
        if ($env:DOCKER_MACHINE_NAME) { "Active machine: $env:DOCKER_MACHINE_NAME" } else { 'No active machine' }
    }
}
