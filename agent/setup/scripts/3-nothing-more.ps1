# Nothing more than that: consents in Entra that reach every mailbox or site would make the scopes useless.
# Shows them, and takes them away with -Remove. Needs the role Privileged Role Administrator for that.
$ErrorActionPreference = 'Stop'
if (-not $ClientId) { $ClientId = Read-Host 'Client id (script 1 told it)' }
$Scopes = 'Application.Read.All', 'AppRoleAssignment.ReadWrite.All'
if ($TenantId) { Connect-MgGraph -TenantId $TenantId -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }
else { Connect-MgGraph -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }

$Agent = Get-MgServicePrincipal -Filter "appId eq '$ClientId'"
if (-not $Agent) { throw "There is no enterprise application $ClientId in this tenant." }
$More = 0
foreach ($Given in Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Agent.Id -All) {
    $Resource = Get-MgServicePrincipal -ServicePrincipalId $Given.ResourceId
    $Role = ($Resource.AppRoles | Where-Object { $_.Id -eq $Given.AppRoleId }).Value
    if ($Role -eq 'Sites.Selected') { continue }
    $More++
    Write-Warning "$($Resource.DisplayName): $Role"
    if ($Remove) {
        Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Agent.Id -AppRoleAssignmentId $Given.Id
        Write-Host '  taken away'
    }
}
if ($More -eq 0) { Write-Host 'Sites.Selected and nothing more: right.' }
elseif (-not $Remove) { Write-Warning "$More too many. Run this script with -Remove to take them away." }
