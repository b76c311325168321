# The one mailbox: Exchange's RBAC for Applications, scoped to it. Nothing is consented in Entra for that.
# Needs the role group Organization Management, and Install-Module ExchangeOnlineManagement.
# Run again, it adds what is missing. Exchange may take up to two hours to apply a change.
$ErrorActionPreference = 'Stop'
if (-not $ClientId) { $ClientId = Read-Host 'Client id (script 1 told it)' }
Connect-ExchangeOnline -ExchangeEnvironmentName $ExchangeEnvironment -ShowBanner:$false

$Principal = Get-ServicePrincipal | Where-Object { $_.AppId -eq $ClientId }
if (-not $Principal) {
    $EnterpriseObjectId = Read-Host 'Object id of the ENTERPRISE application (script 1 told it)'
    $Principal = New-ServicePrincipal -AppId $ClientId -ObjectId $EnterpriseObjectId -DisplayName 'Need to Know agent'
}

foreach ($Mailbox in $Mailboxes) {
    $Scope = "Need to Know: $Mailbox"
    if (-not (Get-ManagementScope | Where-Object { $_.Name -eq $Scope })) {
        New-ManagementScope -Name $Scope -RecipientRestrictionFilter "PrimarySmtpAddress -eq '$Mailbox'" | Out-Null
    }
    foreach ($Role in 'Application Mail.ReadWrite', 'Application Mail.Send') {
        $There = Get-ManagementRoleAssignment -RoleAssignee $Principal.ObjectId -Role $Role |
            Where-Object { $_.CustomResourceScope -eq $Scope }
        if (-not $There) {
            New-ManagementRoleAssignment -App $Principal.ObjectId -Role $Role -CustomResourceScope $Scope | Out-Null
            Write-Host "Assigned $Role for $Mailbox."
        }
    }
}

# every assignment needs a scope: one without reaches every mailbox
$Unscoped = Get-ManagementRoleAssignment -RoleAssignee $Principal.ObjectId | Where-Object { -not $_.CustomResourceScope }
foreach ($One in $Unscoped) {
    Write-Warning "$($One.Role) has no scope and reaches every mailbox."
    if ($Remove) { Remove-ManagementRoleAssignment -Identity $One.Identity -Confirm:$false }
    else { Write-Warning 'Run this script with -Remove to take it away.' }
}

foreach ($Mailbox in $Mailboxes) {
    Test-ServicePrincipalAuthorization -Identity $ClientId -Resource $Mailbox |
        Format-Table -Property 'RoleName', 'InScope'
}
if ($SomebodyElse) {
    Write-Host "And somebody else's mailbox, for which InScope has to be False:"
    Test-ServicePrincipalAuthorization -Identity $ClientId -Resource $SomebodyElse |
        Format-Table -Property 'RoleName', 'InScope'
}
