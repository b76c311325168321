# The one site: write permission for the agent there, and nowhere else.
# Needs somebody who may consent to Sites.FullControl.All for this session, and
# Install-Module Microsoft.Graph.Authentication. With -Remove, the agent's permission is taken away again.
$ErrorActionPreference = 'Stop'
if (-not $ClientId) { $ClientId = Read-Host 'Client id (script 1 told it)' }
$Scopes = 'Sites.FullControl.All'
if ($TenantId) { Connect-MgGraph -TenantId $TenantId -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }
else { Connect-MgGraph -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }

foreach ($Site in $Sites) {
    $SiteId = (Invoke-MgGraphRequest -Method GET -Uri "/v1.0/sites/$($Site)?`$select=id").id
    $All = (Invoke-MgGraphRequest -Method GET -Uri "/v1.0/sites/$SiteId/permissions").value
    $Ours = @($All | Where-Object { $_.grantedToIdentitiesV2.application.id -contains $ClientId })
    if ($Remove) {
        foreach ($One in $Ours) {
            Invoke-MgGraphRequest -Method DELETE -Uri "/v1.0/sites/$SiteId/permissions/$($One.id)"
            Write-Host "$($Site): the agent's permission is taken away."
        }
        continue
    }
    if ($Ours.Count) {
        Write-Host "$($Site): the agent has a permission there already ($($Ours.roles -join ', '))."
        continue
    }
    $Body = @{
        roles               = @('write')
        grantedToIdentities = @(@{ application = @{ id = $ClientId; displayName = 'Need to Know agent' } })
    }
    Invoke-MgGraphRequest -Method POST -Uri "/v1.0/sites/$SiteId/permissions" -Body ($Body | ConvertTo-Json -Depth 5) `
        -ContentType 'application/json' | Out-Null
    Write-Host "$($Site): the agent may write there."
}
