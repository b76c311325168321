# The app registration: one application, its certificate, and the one permission that reaches no site by itself.
# Needs the role Application Administrator or higher, and Install-Module Microsoft.Graph.Applications.
# Run again, it adds what is missing: so also to upload a new certificate beside the old one.
$ErrorActionPreference = 'Stop'
$Name = 'Need to Know agent'
$Scopes = 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'
if ($TenantId) { Connect-MgGraph -TenantId $TenantId -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }
else { Connect-MgGraph -Environment $GraphEnvironment -Scopes $Scopes -NoWelcome }

if ($Certificate) {
    $Filter = if ($ClientId) { "appId eq '$ClientId'" } else { "displayName eq '$Name'" }
    $Found = @(Get-MgApplication -Filter $Filter)
    if ($Found.Count -gt 1) { throw "There are $($Found.Count) apps called '$Name'. Say which with -ClientId." }
    if ($Found.Count -eq 0 -and $ClientId) { throw "There is no app $ClientId in this tenant." }
    $App = if ($Found.Count) { $Found[0] } else { New-MgApplication -DisplayName $Name -SignInAudience AzureADMyOrg }
    $ClientId = $App.AppId

    # what is there has to be sent along, or it would be taken away
    $Kept = @((Get-MgApplication -ApplicationId $App.Id -Property KeyCredentials).KeyCredentials)
    $File = Join-Path $PSScriptRoot $Certificate
    $Public = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($File)
    $Known = $Kept | ForEach-Object { [Convert]::ToHexString($_.CustomKeyIdentifier) }
    if ($Known -contains $Public.Thumbprint) {
        Write-Host "The certificate $($Public.Thumbprint) is there already."
    }
    else {
        $New = @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $Public.RawData; DisplayName = $Public.Subject }
        Update-MgApplication -ApplicationId $App.Id -KeyCredentials (@($Kept) + @($New))
        Write-Host "Uploaded the certificate $($Public.Thumbprint), good until $($Public.NotAfter.ToString('d MMM yyyy'))."
    }
    if (-not (Get-MgServicePrincipal -Filter "appId eq '$ClientId'")) {
        New-MgServicePrincipal -AppId $ClientId | Out-Null
    }
}
elseif (-not $ClientId) { throw 'Say which managed identity or app with -ClientId.' }

$Agent = Get-MgServicePrincipal -Filter "appId eq '$ClientId'"
$Graph = Get-MgServicePrincipal -Filter "appId eq '00000003-0000-0000-c000-000000000000'"
$Selected = $Graph.AppRoles | Where-Object { $_.Value -eq 'Sites.Selected' }
$Granted = Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Agent.Id -All
if ($Granted.AppRoleId -notcontains $Selected.Id) {
    New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Agent.Id -PrincipalId $Agent.Id `
        -ResourceId $Graph.Id -AppRoleId $Selected.Id | Out-Null
    Write-Host 'Granted Sites.Selected.'
}
$Tenant = (Get-MgContext).TenantId
Write-Host "Put into agent.toml:  id = `"$Tenant`"  client = `"$ClientId`""
Write-Host "For the next script:  client id $ClientId, object id of the enterprise application $($Agent.Id)"
